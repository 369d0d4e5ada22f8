import { createHash } from 'node:crypto';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { type Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import { atIssuer, bindingOfOld } from '../../servers/secret-binding.ts';
import { originOf, type Binding, type Elsewhere } from '../../vault/binding.ts';
import type { BoundRead } from '../../vault/bound-secrets.ts';
import { storeFault } from '../../vault/store-fault.ts';
import { enteredSecret, enterAgain } from '../entered-secrets.ts';
import { adviceOf, clientMetadataUrl } from './registration-advice.ts';
import type { Preset } from '../providers/presets.ts';
import { registerClient } from './registration-request.ts';
import { clientSecretMethod } from '../client-auth/client-secret.ts';
import { type Deadline, deadlineIn, over, type Clock } from '../../base/clock.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';
import type { AuthorizationServer } from '../model.ts';
import { secretKeyOf, type Registration, type Server } from '../../servers/server.ts';

export interface RegistrationDeps {
  readonly http: Http;
  readonly clock: Clock;
  readonly servers: Pick<Servers, 'find' | 'update' | 'updateAccount'>;
  readonly vault: Pick<Vault, 'readClientSecret' | 'writeClientSecret' | 'deleteClientSecret'>;
  /** Registration endpoints that asked to be left alone, and until when (Unix ms). */
  readonly pauses: Map<string, Deadline>;
}

export interface RegistrationRequest {
  readonly accountKey: string;
  readonly authorizationServer: AuthorizationServer;
  readonly allow: AddressPolicy;
  /** The live redirect URI, exactly. */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal;
  /** Besides the usual ones. */
  readonly grantTypes?: readonly string[];
  /** What is known of this provider. */
  readonly preset?: Preset;
  /** Register even where a client ID metadata document could be used: its redirect URIs are fixed. */
  readonly withoutDocument?: boolean;
}

export type RegistrationOutcome =
  /** `reused`: from an earlier sign-in, so the server may have forgotten it. */
  | {
      readonly kind: 'registered';
      readonly registration: Registration;
      readonly clientSecret?: Secret;
      readonly reused: boolean;
    }
  /** The server takes no redirect URI like this; another host name may do. */
  | { readonly kind: 'redirect_refused'; readonly error: AppError };

/**
 * Who we are at this authorization server, in MCP's order: the client ID that the user entered, else the client ID
 * metadata document that the user hosts, else what was registered before for exactly this issuer and redirect URI, else
 * a new registration (RFC 7591), which is saved. Throws E_CLIENT_ID_NEEDED, E_REGISTRATION_REFUSED, E_BAD_INPUT,
 * E_REGISTRATION_INVALID, E_STORE_*, E_CONFIG_WRITE and the faults of Http.
 */
export async function registrationFor(
  deps: RegistrationDeps,
  request: RegistrationRequest,
): Promise<RegistrationOutcome> {
  const server = serverOf(deps, request.accountKey);
  if (server.clientId !== undefined) return configured(deps, request, server, server.clientId);
  const document = request.withoutDocument
    ? undefined
    : clientMetadataUrl(server.settings, request.authorizationServer);
  if (document !== undefined) return byDocument(deps, request, document);
  return (await known(deps, request, server)) ?? register(deps, request, server);
}

/** The registrations that Keybridge made by itself at this issuer, newest first. */
export function dynamicRegistrations(server: Server, issuer: string): Registration[] {
  return server.registrations
    .filter((one) => one.how === 'dynamic' && one.issuer === issuer)
    .sort((a, b) => b.registeredAt - a.registeredAt);
}

/** Where the vault keeps the token that manages a registration (RFC 7592). */
export const managementTokenKey = (
  accountKey: string,
  registration: Pick<Registration, 'issuer' | 'redirect_uri'>,
): string => `${clientSecretKey(accountKey, registration)}:management`;

/** Where the vault keeps the secret of a registration that Keybridge made by itself. */
export function clientSecretKey(
  accountKey: string,
  { issuer, redirect_uri }: Pick<Registration, 'issuer' | 'redirect_uri'>,
): string {
  return `${accountKey}:${createHash('sha256').update(`${issuer} ${redirect_uri}`).digest('hex').slice(0, 16)}`;
}

/** Everything that the vault keeps for the registrations of an account, for when it is removed. */
export function clientSecretKeys({ id, registrations }: Server): string[] {
  return [...new Set(registrations.filter(({ how }) => how === 'dynamic').flatMap((one) => secretKeysOf(id, one)))];
}

function secretKeysOf(accountKey: string, registration: Registration): string[] {
  const management =
    registration.registration_client_uri === undefined ? [] : [managementTokenKey(accountKey, registration)];
  return registration.hasSecret ? [clientSecretKey(accountKey, registration), ...management] : management;
}

/** Forgets a registration that the server no longer knows: the next sign-in registers again. */
export async function dropRegistration(
  { servers, vault }: Pick<RegistrationDeps, 'servers' | 'vault'>,
  accountKey: string,
  dropped: Registration,
): Promise<void> {
  const server = servers.find(accountKey);
  if (!server) return;
  await servers.updateAccount(accountKey, {
    registrations: server.registrations.filter(
      (one) => one.client_id !== dropped.client_id || one.issuer !== dropped.issuer,
    ),
  });
  for (const key of dropped.how === 'dynamic' ? secretKeysOf(accountKey, dropped) : [])
    await vault.deleteClientSecret(key);
}

async function configured(
  deps: RegistrationDeps,
  request: RegistrationRequest,
  server: Server,
  clientId: string,
): Promise<RegistrationOutcome> {
  const { authorizationServer, redirectUri } = request;
  const { issuer } = authorizationServer;
  const ours = server.registrations.filter((one) => one.how === 'configured' && one.client_id === clientId);
  const elsewhere = ours.find((one) => one.issuer !== issuer);
  const clientSecret = server.hasClientSecret ? await enteredClientSecret(deps, request, server, elsewhere) : undefined;
  // MCP, Authorization Server Binding: what belongs to one issuer is never shown to another. A secret that was entered
  // since says that this one is meant.
  if (elsewhere && !clientSecret) throw clientElsewhere(elsewhere.issuer, issuer);
  const before = ours.find((one) => one.issuer === issuer);
  const registration: Registration = {
    issuer,
    client_id: clientId,
    token_endpoint_auth_method: clientSecret
      ? clientSecretMethod(authorizationServer.token_endpoint_auth_methods_supported, before)
      : 'none',
    redirect_uri: redirectUri,
    registeredAt: deps.clock.now(),
    hasSecret: clientSecret !== undefined,
    how: 'configured',
  };
  await save(deps, server.id, registration, elsewhere ? ours.filter((one) => one.issuer !== issuer) : []);
  return { kind: 'registered', registration, reused: false, ...(clientSecret ? { clientSecret } : {}) };
}

async function enteredClientSecret(
  { vault }: RegistrationDeps,
  { authorizationServer: { issuer, token_endpoint } }: RegistrationRequest,
  server: Server,
  elsewhere: Registration | undefined,
): Promise<Secret | undefined> {
  const read = await vault.readClientSecret(
    secretKeyOf(server, 'clientSecret'),
    atIssuer(server, issuer, token_endpoint),
    bindingOfOld(server, 'clientSecret'),
  );
  if (read.kind === 'elsewhere')
    throw elsewhere ? clientElsewhere(elsewhere.issuer, issuer) : enterAgain(server, 'clientSecret', read);
  return found(read);
}

/** The client ID is the document's own address; nothing is registered, and there is no secret. */
async function byDocument(
  deps: RegistrationDeps,
  { authorizationServer, redirectUri, accountKey }: RegistrationRequest,
  url: string,
): Promise<RegistrationOutcome> {
  const registration: Registration = {
    issuer: authorizationServer.issuer,
    client_id: url,
    token_endpoint_auth_method: 'none',
    redirect_uri: redirectUri,
    registeredAt: deps.clock.now(),
    hasSecret: false,
    how: 'metadata_document',
  };
  await save(deps, accountKey, registration);
  return { kind: 'registered', registration, reused: false };
}

async function known(
  deps: RegistrationDeps,
  { authorizationServer, redirectUri }: RegistrationRequest,
  server: Server,
): Promise<RegistrationOutcome | undefined> {
  const registration = dynamicRegistrations(server, authorizationServer.issuer).find(
    (one) =>
      one.redirect_uri === redirectUri && (one.secretExpiresAt === undefined || one.secretExpiresAt > deps.clock.now()),
  );
  if (!registration) return undefined;
  if (!registration.hasSecret) return { kind: 'registered', registration, reused: true };
  const read = await deps.vault.readClientSecret(
    clientSecretKey(server.id, registration),
    secretUse(authorizationServer),
  );
  // A registration without its secret is worth nothing.
  const clientSecret = read.kind === 'elsewhere' ? undefined : found(read);
  return clientSecret && { kind: 'registered', registration, clientSecret, reused: true };
}

async function register(
  deps: RegistrationDeps,
  request: RegistrationRequest,
  server: Server,
): Promise<RegistrationOutcome> {
  const { authorizationServer, redirectUri, accountKey, preset } = request;
  const { issuer, registration_endpoint: endpoint } = authorizationServer;
  if (endpoint === undefined) {
    // The person registers this address there: the client that they then enter is used with it.
    const reserved =
      server.reservedRedirect?.issuer === issuer ? server.reservedRedirect : { issuer, redirect_uri: redirectUri };
    if (reserved !== server.reservedRedirect) await deps.servers.update(server.id, { reservedRedirect: reserved });
    throw new AppError(
      'E_CLIENT_ID_NEEDED',
      `${sanitizeExternalText(new URL(issuer).host)} does not let apps register themselves. ${adviceOf(preset, reserved.redirect_uri)}`,
      { redirectUri: reserved.redirect_uri },
    );
  }
  refuseDuringPause(deps, endpoint);
  const initialAccessToken = await initialToken(deps, server, issuer, endpoint);
  const scopes = preset?.registerWithoutScopes ? [] : request.scopes;
  const answer = await registerClient(deps.http, {
    ...request,
    scopes,
    endpoint,
    ...(initialAccessToken ? { initialAccessToken } : {}),
  }).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    if (error.retryAfterMs !== undefined) deps.pauses.set(endpoint, deadlineIn(deps.clock, error.retryAfterMs));
    throw error.code === 'E_REGISTRATION_REFUSED' && error.retryAfterMs === undefined && preset?.advice !== undefined
      ? new AppError(error.code, `${error.message} ${adviceOf(preset, redirectUri)}`, { redirectUri, cause: error })
      : error;
  });
  if (answer.kind === 'redirect_refused') return answer;
  const { clientId, clientSecret, clientAuth, secretExpiresAt, endsAt, management } = answer.client;
  const registration: Registration = {
    issuer,
    client_id: clientId,
    token_endpoint_auth_method: clientAuth,
    redirect_uri: redirectUri,
    registeredAt: deps.clock.now(),
    hasSecret: clientSecret !== undefined,
    how: 'dynamic',
    ...(secretExpiresAt === undefined ? {} : { secretExpiresAt }),
    ...(endsAt === undefined ? {} : { endsAt }),
    ...(management ? { registration_client_uri: management.uri } : {}),
    ...(answer.refusedScopes ? { refusedScopes: [...answer.refusedScopes] } : {}),
  };
  if (management)
    await writeSecret(
      deps,
      managementTokenKey(accountKey, registration),
      management.token,
      managementUse(issuer, management.uri),
    );
  if (clientSecret)
    await writeSecret(deps, clientSecretKey(accountKey, registration), clientSecret, secretUse(authorizationServer));
  await save(deps, accountKey, registration);
  return { kind: 'registered', registration, reused: false, ...(clientSecret ? { clientSecret } : {}) };
}

/** RFC 7591 3: what the user entered, shown to the one issuer that it was first used at. */
async function initialToken(
  { vault }: RegistrationDeps,
  server: Server,
  issuer: string,
  endpoint: string,
): Promise<Secret | undefined> {
  if (!server.storedSecrets.includes('initialAccessToken')) return undefined;
  return enteredSecret(vault, server, 'initialAccessToken', atIssuer(server, issuer, endpoint));
}

/** A server that said "later" is not asked again before that (RG02). */
function refuseDuringPause({ pauses }: RegistrationDeps, endpoint: string): void {
  const waitMs = (pauses.get(endpoint) ?? over).leftMs();
  if (waitMs <= 0) return;
  throw new AppError(
    'E_REGISTRATION_REFUSED',
    `${sanitizeExternalText(new URL(endpoint).host)} asked to wait before the next registration.`,
    { retryAfterMs: waitMs, sent: false },
  );
}

/** What the token endpoint gave to us, for it alone. */
const secretUse = ({ issuer, token_endpoint }: AuthorizationServer): Binding => ({
  issuer,
  endpoint: originOf(token_endpoint),
});

/** The management token goes to where the registration said (RFC 7592). */
export const managementUse = (issuer: string, uri: string): Binding => ({ issuer, endpoint: originOf(uri) });

/** A client ID that the user entered for another issuer. */
export function clientElsewhere(was: string, now: string): AppError {
  return new AppError(
    'E_CLIENT_ID_NEEDED',
    `The client ID belongs to ${sanitizeExternalText(was)}, but the sign-in is now at ${sanitizeExternalText(now)}. If that is right, enter its secret again, or the client ID where it has none.`,
  );
}

/** Throws E_STORE_*. */
function found(read: Exclude<BoundRead, Elsewhere>): Secret | undefined {
  if (read.kind === 'found') return read.value;
  if (read.kind === 'absent') return undefined;
  throw storeFault(read, 'The registration of Keybridge at the server cannot be read');
}

async function writeSecret({ vault }: RegistrationDeps, key: string, secret: Secret, use: Binding): Promise<void> {
  const written = await vault.writeClientSecret(key, secret, use);
  if (written.kind !== 'done')
    throw storeFault(written, 'What the server gave Keybridge when it registered cannot be kept');
}

/** One registration for each issuer, redirect URI and kind; without those that are `gone`. */
async function save(
  deps: RegistrationDeps,
  accountKey: string,
  registration: Registration,
  gone: readonly Registration[] = [],
): Promise<void> {
  const registrations = serverOf(deps, accountKey).registrations.filter(
    (one) =>
      !gone.some(
        ({ issuer, client_id, how }) => how === one.how && issuer === one.issuer && client_id === one.client_id,
      ),
  );
  const others = registrations.filter(
    ({ how, issuer, redirect_uri }) =>
      how !== registration.how || issuer !== registration.issuer || redirect_uri !== registration.redirect_uri,
  );
  const same = registrations.find(
    (one) => !others.includes(one) && one.client_id === registration.client_id && one.how === 'configured',
  );
  if (
    gone.length === 0 &&
    same &&
    same.token_endpoint_auth_method === registration.token_endpoint_auth_method &&
    same.hasSecret === registration.hasSecret
  )
    return;
  await deps.servers.updateAccount(accountKey, { registrations: [...others, registration] });
}

function serverOf({ servers }: RegistrationDeps, accountKey: string): Server {
  const server = servers.find(accountKey);
  if (!server) throw new AppError('E_SERVER_UNKNOWN', 'The server was removed.');
  return server;
}
