import { defined } from '../../../../shared/defined.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { atIssuer } from '../../servers/secret-binding.ts';
import { enteredSecret } from '../entered-secrets.ts';
import { adviceOf, clientMetadataUrl } from './registration-advice.ts';
import { registerClient } from './registration-request.ts';
import { deadlineIn, over } from '../../base/clock.ts';
import { type Registration, type Server } from '../../servers/server.ts';
import {
  managementTokenKey,
  clientSecretKey,
  secretUse,
  managementUse,
  secretIn,
  storeSecret,
} from './registration-secrets.ts';
import { dynamicRegistrations, saveRegistration, listedServer } from './registration-store.ts';
import { configuredClient } from './configured-client.ts';
import type { RegistrationDeps, RegistrationRequest, RegistrationOutcome } from './registration-model.ts';

/**
 * Our client at this authorization server, in MCP's order: the client ID that the user entered, else the client ID
 * metadata document that the user hosts, else an earlier registration for exactly this issuer and redirect URI, else a
 * new registration (RFC 7591), which is saved. Throws E_CLIENT_ID_NEEDED, E_REGISTRATION_REFUSED, E_BAD_INPUT,
 * E_REGISTRATION_INVALID, E_STORE_*, E_CONFIG_WRITE and the faults of Http.
 */
export async function registrationFor(
  deps: RegistrationDeps,
  request: RegistrationRequest,
): Promise<RegistrationOutcome> {
  const server = listedServer(deps, request.accountKey);
  if (server.clientId !== undefined) return configuredClient(deps, request, server, server.clientId);
  const document = request.withoutDocument
    ? undefined
    : clientMetadataUrl(server.settings, request.authorizationServer);
  if (document !== undefined) return byDocument(deps, request, document);
  return (await earlierRegistration(deps, request, server)) ?? register(deps, request, server);
}

/** The client ID is the address of the document; nothing is registered, and there is no secret. */
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
  await saveRegistration(deps, accountKey, registration);
  return { kind: 'registered', registration, reused: false };
}

/** Returns undefined if there is none, or if its secret is lost. */
async function earlierRegistration(
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
  const clientSecret = read.kind === 'elsewhere' ? undefined : secretIn(read);
  return clientSecret && { kind: 'registered', registration, clientSecret, reused: true };
}

async function register(
  deps: RegistrationDeps,
  request: RegistrationRequest,
  server: Server,
): Promise<RegistrationOutcome> {
  const { authorizationServer, redirectUri, accountKey, preset } = request;
  const { issuer, registration_endpoint: endpoint } = authorizationServer;
  if (endpoint === undefined) throw await registerByHand(deps, request, server);
  refuseDuringPause(deps, endpoint);
  const initialAccessToken = await initialToken(deps, server, issuer, endpoint);
  const scopes = preset?.registerWithoutScopes ? [] : request.scopes;
  const response = await registerClient(deps.http, {
    ...request,
    scopes,
    endpoint,
    ...defined({ initialAccessToken }),
  }).catch((error: unknown) => {
    throw withAdvice(deps, error, endpoint, request);
  });
  if (response.kind === 'redirect_refused') return response;
  const { clientId, clientSecret, clientAuth, secretExpiresAt, endsAt, management } = response.client;
  const registration: Registration = {
    issuer,
    client_id: clientId,
    token_endpoint_auth_method: clientAuth,
    redirect_uri: redirectUri,
    registeredAt: deps.clock.now(),
    hasSecret: clientSecret !== undefined,
    how: 'dynamic',
    ...defined({
      secretExpiresAt,
      endsAt,
      registration_client_uri: management?.uri,
      refusedScopes: response.refusedScopes && [...response.refusedScopes],
    }),
  };
  if (management) {
    const key = managementTokenKey(accountKey, registration);
    await storeSecret(deps, key, management.token, managementUse(issuer, management.uri));
  }
  if (clientSecret)
    await storeSecret(deps, clientSecretKey(accountKey, registration), clientSecret, secretUse(authorizationServer));
  await saveRegistration(deps, accountKey, registration);
  return { kind: 'registered', registration, reused: false, ...defined({ clientSecret }) };
}

/** Reserves this redirect URI: the user registers it at the provider, and later enters a client ID for it. */
async function registerByHand(
  { servers }: RegistrationDeps,
  { authorizationServer: { issuer }, redirectUri, preset }: RegistrationRequest,
  server: Server,
): Promise<AppError> {
  const reserved =
    server.reservedRedirect?.issuer === issuer ? server.reservedRedirect : { issuer, redirect_uri: redirectUri };
  if (reserved !== server.reservedRedirect) await servers.update(server.id, { reservedRedirect: reserved });
  const advice = adviceOf(preset, reserved.redirect_uri);
  return new AppError(
    'E_CLIENT_ID_NEEDED',
    `${sanitizeExternalText(new URL(issuer).host)} does not let apps register automatically. ${advice}`,
    { redirectUri: reserved.redirect_uri },
  );
}

/** Adds advice on manual registration to a permanent error; starts a pause if the error has a Retry-After. */
function withAdvice(
  { pauses, clock }: RegistrationDeps,
  error: unknown,
  endpoint: string,
  { preset, redirectUri }: RegistrationRequest,
): unknown {
  if (!(error instanceof AppError)) return error;
  if (error.retryAfterMs !== undefined) {
    pauses.set(endpoint, deadlineIn(clock, error.retryAfterMs));
    return error;
  }
  if (error.code !== 'E_REGISTRATION_REFUSED' || preset?.advice === undefined) return error;
  return new AppError(error.code, `${error.message} ${adviceOf(preset, redirectUri)}`, { redirectUri, cause: error });
}

/** RFC 7591 3: the initial access token that the user entered, which is sent only to the issuer of its first use. */
async function initialToken(
  { vault }: RegistrationDeps,
  server: Server,
  issuer: string,
  endpoint: string,
): Promise<Secret | undefined> {
  if (!server.storedSecrets.includes('initialAccessToken')) return undefined;
  return enteredSecret(vault, server, 'initialAccessToken', atIssuer(server, issuer, endpoint));
}

/** A server that sent Retry-After is not asked again before that time (RG02). */
function refuseDuringPause({ pauses }: RegistrationDeps, endpoint: string): void {
  const waitMs = (pauses.get(endpoint) ?? over).leftMs();
  if (waitMs <= 0) return;
  throw new AppError(
    'E_REGISTRATION_REFUSED',
    `${sanitizeExternalText(new URL(endpoint).host)} asked Keybridge to wait before registering again.`,
    { retryAfterMs: waitMs, sent: false },
  );
}
