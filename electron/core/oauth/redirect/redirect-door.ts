import { AppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import type { Registration, Server } from '../../servers/servers.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { Preset } from '../discovery/presets.ts';
import { clientMetadataUrl } from '../registration/registration-advice.ts';
import { dropRegistration, dynamicRegistrations, registrationFor, type RegistrationDeps } from '../registration/registration.ts';
import { documentRedirectPath, listenForRedirect, redirectPath, type RedirectHost, type RedirectListener } from './redirect.ts';

export interface Door {
  readonly listener: RedirectListener;
  readonly registration: Registration;
  readonly clientSecret?: Secret;
  readonly reused: boolean;
}

export interface DoorOptions {
  readonly server: Server;
  readonly discovery: Extract<Discovery, { kind: 'protected' }>;
  readonly scopes: readonly string[];
  readonly preset?: Preset;
  /** A client ID that the token endpoint knows no more: the pages in the browser will not either, and they send no answer. */
  readonly refused?: string | undefined;
  readonly ports: readonly number[];
  readonly signal: AbortSignal;
}

/**
 * The listener that is up, and the registration for exactly its redirect URI. First at the place that an earlier
 * registration knows; where the server takes no 127.0.0.1, at `localhost`. The caller closes the listener.
 */
export async function openDoor(deps: RegistrationDeps, { server, discovery, scopes, preset, refused: forgotten, ports, signal }: DoorOptions): Promise<Door> {
  const dead = server.registrations.find((one) => one.how === 'dynamic' && one.client_id === forgotten);
  if (dead) await dropRegistration(deps, server.id, dead);
  const { authorizationServer, allow } = discovery;
  const { issuer } = authorizationServer;
  const document = server.clientId === undefined && clientMetadataUrl(server.settings, authorizationServer) !== undefined;
  const path = document ? documentRedirectPath : redirectPath(issuer);
  const remembered = document ? undefined : rememberedPlace(server, issuer);
  const hosts: RedirectHost[] = remembered?.host === 'localhost' ? ['localhost'] : ['127.0.0.1', 'localhost'];
  const order = remembered ? [remembered.port, ...ports.filter((port) => port !== remembered.port)] : ports;
  let refused: AppError | undefined;
  for (const host of hosts) {
    const listener = await listenForRedirect({ ports: order, host, path, serverName: server.name });
    try {
      const request = { accountKey: server.id, authorizationServer, allow, redirectUri: listener.redirectUri, scopes, signal, ...(preset ? { preset } : {}) };
      const outcome = await registrationFor(deps, request);
      if (outcome.kind === 'registered') return { ...outcome, listener };
      refused ??= outcome.error;
    } catch (error) {
      await listener.close();
      throw error;
    }
    await listener.close();
  }
  throw refused ?? new AppError('E_REGISTRATION_REFUSED', 'The authorization server takes no redirect URI on this computer.');
}

/** Where the answer of the last registration at this issuer goes. */
function rememberedPlace(server: Server, issuer: string): { host: RedirectHost; port: number } | undefined {
  const configured = server.registrations.filter((one) => one.how === 'configured' && one.issuer === issuer && one.client_id === server.clientId);
  const [last] = server.clientId === undefined ? dynamicRegistrations(server, issuer) : configured;
  if (!last || !URL.canParse(last.redirect_uri)) return undefined;
  const { hostname, port, pathname } = new URL(last.redirect_uri);
  if (pathname !== redirectPath(issuer) || (hostname !== '127.0.0.1' && hostname !== 'localhost')) return undefined;
  return { host: hostname, port: Number(port) };
}
