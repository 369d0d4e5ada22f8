import { AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { Preset } from '../providers/presets.ts';
import { clientMetadataUrl } from '../registration/registration-advice.ts';
import { registrationFor } from '../registration/registration.ts';
import {
  documentRedirectPath,
  listenForRedirect,
  redirectPath,
  type RedirectHost,
  type RedirectListener,
} from '../authorization/loopback-server.ts';
import type { Discovery } from '../model.ts';
import type { Registration, Server } from '../../servers/server.ts';
import { dropRegistration, dynamicRegistrations } from '../registration/registration-store.ts';
import type { RegistrationDeps } from '../registration/registration-model.ts';

export interface RedirectRegistration {
  readonly listener: RedirectListener;
  readonly registration: Registration;
  readonly clientSecret?: Secret;
  readonly reused: boolean;
}

export interface RedirectRegistrationOptions {
  readonly server: Server;
  readonly discovery: Extract<Discovery, { kind: 'protected' }>;
  readonly scopes: readonly string[];
  readonly preset?: Preset;
  /**
   * A client ID that the token endpoint knows no more: the pages in the browser will not either, and they send no
   * answer.
   */
  readonly refused?: string | undefined;
  readonly ports: readonly number[];
  readonly signal: AbortSignal;
}

/**
 * The listener that is up, and the registration for exactly its redirect URI. First at the place that an earlier
 * registration knows; where the server takes no 127.0.0.1, at `localhost`; where all usual ports are taken, at any free
 * port if the authorization server will take that (RFC 8252 7.3). The caller closes the listener. Throws E_PORT_IN_USE
 * and the errors of `registrationFor`.
 */
export async function listenAndRegister(
  deps: RegistrationDeps,
  options: RedirectRegistrationOptions,
): Promise<RedirectRegistration> {
  const { server, discovery, refused: forgotten } = options;
  const dead = server.registrations.find((one) => one.how === 'dynamic' && one.client_id === forgotten);
  if (dead) await dropRegistration(deps, server.id, dead);
  const { authorizationServer } = discovery;
  const document =
    server.clientId === undefined && clientMetadataUrl(server.settings, authorizationServer) !== undefined;
  if (!document) return openAt(deps, options, placeOfClient(options));
  try {
    return await openAt(deps, options, placeOfDocument(options));
  } catch (error) {
    const canRegister = authorizationServer.registration_endpoint !== undefined;
    if (!canRegister || !(error instanceof AppError) || error.code !== 'E_PORT_IN_USE') throw error;
    return openAt(deps, options, { ...placeOfClient(options), withoutDocument: true });
  }
}

/** The ports and host to listen on. */
interface Place {
  readonly path: string;
  readonly hosts: readonly RedirectHost[];
  readonly ports: readonly number[];
  /** A redirect URI with another port than these is taken, too. */
  readonly anyPort: boolean;
  readonly withoutDocument?: true;
}

const bothHosts: readonly RedirectHost[] = ['127.0.0.1', 'localhost'];

/**
 * A registration of our own can be made for any port; a client that was entered has fixed ones, unless its provider
 * does not compare them.
 */
function placeOfClient({ server, discovery, preset, ports }: RedirectRegistrationOptions): Place {
  const { issuer, registration_endpoint: registrationEndpoint } = discovery.authorizationServer;
  const reserved = reservedPlace(server, issuer);
  const remembered = reserved ?? rememberedPlace(server, issuer);
  const others = reserved && preset?.loopbackPorts !== 'any' ? [] : ports.filter((port) => port !== remembered?.port);
  return {
    path: redirectPath(issuer),
    hosts: remembered?.host === 'localhost' ? ['localhost'] : bothHosts,
    ports: remembered ? [remembered.port, ...others] : ports,
    anyPort: preset?.loopbackPorts === 'any' || (server.clientId === undefined && registrationEndpoint !== undefined),
  };
}

/**
 * The document names the usual ports, and the address without a port. Unless a server is known to accept that, a
 * registration is safer.
 */
function placeOfDocument({ discovery, preset, ports }: RedirectRegistrationOptions): Place {
  const canRegister = discovery.authorizationServer.registration_endpoint !== undefined;
  const anyPort = preset?.loopbackPorts === 'any' || (!canRegister && preset?.loopbackPorts !== 'listed');
  return { path: documentRedirectPath, hosts: bothHosts, ports, anyPort };
}

async function openAt(
  deps: RegistrationDeps,
  { server, discovery, scopes, preset, signal }: RedirectRegistrationOptions,
  { path, hosts, ports, anyPort, withoutDocument }: Place,
): Promise<RedirectRegistration> {
  const { authorizationServer, allow } = discovery;
  let refused: AppError | undefined;
  for (const host of hosts) {
    const listener = await listenForRedirect({ ports, host, path, anyPort, serverName: server.name });
    try {
      const request = {
        accountKey: server.id,
        authorizationServer,
        allow,
        redirectUri: listener.redirectUri,
        scopes,
        signal,
        ...(preset ? { preset } : {}),
        ...(withoutDocument ? { withoutDocument } : {}),
      };
      const outcome = await registrationFor(deps, request);
      if (outcome.kind === 'registered') return { ...outcome, listener };
      refused ??= outcome.error;
    } catch (error) {
      await listener.close();
      throw error;
    }
    await listener.close();
  }
  throw (
    refused ??
    new AppError('E_REGISTRATION_REFUSED', 'The authorization server takes no redirect URI on this computer.')
  );
}

interface Remembered {
  readonly host: RedirectHost;
  readonly port: number;
}

/** The address that a person was told to register: the provider takes no other one. */
function reservedPlace({ clientId, reservedRedirect, registrations }: Server, issuer: string): Remembered | undefined {
  if (clientId === undefined || reservedRedirect?.issuer !== issuer) return undefined;
  // One that was entered before this address was named may have been registered with another.
  const before = registrations.find(({ how, client_id }) => how === 'configured' && client_id === clientId);
  if (before && before.redirect_uri !== reservedRedirect.redirect_uri) return undefined;
  return placeIn(reservedRedirect.redirect_uri, issuer);
}

/** Where the answer of the last registration at this issuer goes. */
function rememberedPlace(server: Server, issuer: string): Remembered | undefined {
  const configured = server.registrations.filter(
    (one) => one.how === 'configured' && one.issuer === issuer && one.client_id === server.clientId,
  );
  const [last] = server.clientId === undefined ? dynamicRegistrations(server, issuer) : configured;
  return last && placeIn(last.redirect_uri, issuer);
}

function placeIn(redirectUri: string, issuer: string): Remembered | undefined {
  if (!URL.canParse(redirectUri)) return undefined;
  const { hostname, port, pathname } = new URL(redirectUri);
  if (port === '' || pathname !== redirectPath(issuer) || (hostname !== '127.0.0.1' && hostname !== 'localhost'))
    return undefined;
  return { host: hostname, port: Number(port) };
}
