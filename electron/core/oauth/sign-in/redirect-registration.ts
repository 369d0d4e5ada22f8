import { defined } from '../../../../shared/defined.ts';
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
import type { Registration, Server } from '../../servers/server.ts';
import { dropRegistration, dynamicRegistrations } from '../registration/registration-store.ts';
import type { RegistrationDeps } from '../registration/registration-model.ts';
import type { ProtectedServer } from './discover-server.ts';

/** An open listener, and the registration for its redirect URI. `reused`: it was made for an earlier sign-in. */
export interface RedirectRegistration {
  readonly listener: RedirectListener;
  readonly registration: Registration;
  readonly clientSecret?: Secret;
  readonly reused: boolean;
}

export interface RedirectRegistrationOptions {
  readonly server: Server;
  readonly discovery: ProtectedServer;
  readonly scopes: readonly string[];
  readonly preset?: Preset;
  /**
   * A client ID that the token endpoint no longer knows. The authorization endpoint will not know it either, and would
   * show an error instead of sending a response.
   */
  readonly refused?: string | undefined;
  readonly ports: readonly number[];
  readonly signal: AbortSignal;
}

/**
 * Opens a listener, and finds or creates a registration for exactly its redirect URI. Prefers the address of an earlier
 * registration. Uses `localhost` if the server rejects 127.0.0.1, and any free port if all usual ports are in use and
 * the authorization server will accept it (RFC 8252 7.3). The caller closes the listener. Throws E_PORT_IN_USE and the
 * errors of `registrationFor`.
 */
export async function listenAndRegister(
  deps: RegistrationDeps,
  options: RedirectRegistrationOptions,
): Promise<RedirectRegistration> {
  const { server, discovery, refused } = options;
  const refusedRegistration = server.registrations.find((one) => one.how === 'dynamic' && one.client_id === refused);
  if (refusedRegistration) await dropRegistration(deps, server.id, refusedRegistration);
  const { authorizationServer } = discovery;
  const usesDocument =
    server.clientId === undefined && clientMetadataUrl(server.settings, authorizationServer) !== undefined;
  if (!usesDocument) return listenAndRegisterAt(deps, options, addressesForClient(options));
  try {
    return await listenAndRegisterAt(deps, options, addressesForDocument(options));
  } catch (error) {
    const canRegister = authorizationServer.registration_endpoint !== undefined;
    if (!canRegister || !(error instanceof AppError) || error.code !== 'E_PORT_IN_USE') throw error;
    return listenAndRegisterAt(deps, options, { ...addressesForClient(options), withoutDocument: true });
  }
}

/** The addresses to try. */
interface ListenAddresses {
  readonly path: string;
  readonly hosts: readonly RedirectHost[];
  readonly ports: readonly number[];
  /** The authorization server also accepts ports other than these. */
  readonly anyPort: boolean;
  readonly withoutDocument?: true;
}

const bothHosts: readonly RedirectHost[] = ['127.0.0.1', 'localhost'];

/**
 * A dynamic registration can have any port. A configured client has the port that its operator registered, unless the
 * provider does not compare ports.
 */
function addressesForClient({ server, discovery, preset, ports }: RedirectRegistrationOptions): ListenAddresses {
  const { issuer, registration_endpoint: registrationEndpoint } = discovery.authorizationServer;
  const reserved = reservedAddress(server, issuer);
  const first = reserved ?? lastAddress(server, issuer);
  const others = reserved && preset?.loopbackPorts !== 'any' ? [] : ports.filter((port) => port !== first?.port);
  return {
    path: redirectPath(issuer),
    hosts: first?.host === 'localhost' ? ['localhost'] : bothHosts,
    ports: first ? [first.port, ...others] : ports,
    anyPort: preset?.loopbackPorts === 'any' || (server.clientId === undefined && registrationEndpoint !== undefined),
  };
}

/**
 * The document lists redirect URIs with the usual ports and one without a port. A dynamic registration is safer than
 * relying on the latter, unless the server is known to accept it.
 */
function addressesForDocument({ discovery, preset, ports }: RedirectRegistrationOptions): ListenAddresses {
  const canRegister = discovery.authorizationServer.registration_endpoint !== undefined;
  const anyPort = preset?.loopbackPorts === 'any' || (!canRegister && preset?.loopbackPorts !== 'listed');
  return { path: documentRedirectPath, hosts: bothHosts, ports, anyPort };
}

async function listenAndRegisterAt(
  deps: RegistrationDeps,
  { server, discovery, scopes, preset, signal }: RedirectRegistrationOptions,
  { path, hosts, ports, anyPort, withoutDocument }: ListenAddresses,
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
        ...defined({ preset, withoutDocument }),
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
    new AppError('E_REGISTRATION_REFUSED', 'The authorization server accepts no redirect URI on this computer.')
  );
}

interface LoopbackAddress {
  readonly host: RedirectHost;
  readonly port: number;
}

/** The address that Keybridge told the user to register. The provider accepts no other one. */
function reservedAddress(
  { clientId, reservedRedirect, registrations }: Server,
  issuer: string,
): LoopbackAddress | undefined {
  if (clientId === undefined || reservedRedirect?.issuer !== issuer) return undefined;
  // A client that was configured before the address was reserved may be registered with another one.
  const earlier = registrations.find(({ how, client_id }) => how === 'configured' && client_id === clientId);
  if (earlier && earlier.redirect_uri !== reservedRedirect.redirect_uri) return undefined;
  return addressIn(reservedRedirect.redirect_uri, issuer);
}

/** The address in the last registration at this issuer. */
function lastAddress(server: Server, issuer: string): LoopbackAddress | undefined {
  const configured = server.registrations.filter(
    (one) => one.how === 'configured' && one.issuer === issuer && one.client_id === server.clientId,
  );
  const [last] = server.clientId === undefined ? dynamicRegistrations(server, issuer) : configured;
  return last && addressIn(last.redirect_uri, issuer);
}

function addressIn(redirectUri: string, issuer: string): LoopbackAddress | undefined {
  if (!URL.canParse(redirectUri)) return undefined;
  const { hostname, port, pathname } = new URL(redirectUri);
  if (port === '' || pathname !== redirectPath(issuer) || (hostname !== '127.0.0.1' && hostname !== 'localhost'))
    return undefined;
  return { host: hostname, port: Number(port) };
}
