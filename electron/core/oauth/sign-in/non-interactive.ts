import { AppError, asAppError, sanitizeExternalText } from '../../base/errors.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Companies } from '../enterprise/companies.ts';
import { companyOf } from '../enterprise/company.ts';
import { clientAtServer } from '../token-endpoint/token-client.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { rulesFor } from './provider-rules.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import { clientElsewhere } from '../registration/configured-client.ts';
import { clientAuthOf } from '../client-auth/client-auth.ts';
import type { Clock } from '../../base/clock.ts';
import type { Http } from '../../http/http.ts';
import type { TokenClient, Grants } from '../model.ts';
import { type Credential, type RepeatedGrant, repeatedGrants } from '../../vault/credential.ts';
import type { Server } from '../../servers/server.ts';
import { storeSignIn } from './credential.ts';
import type { ProtectedServer } from './discover-server.ts';

export interface GrantSignInDeps {
  readonly http: Http;
  readonly clock: Clock;
  readonly servers: Pick<Servers, 'find' | 'update' | 'updateAccount'>;
  readonly tokens: Pick<AccessTokens, 'adopt'>;
  readonly grants: Grants;
  /** For companies where Keybridge itself signs in, instead of using an ID token that the user entered. */
  readonly companies: Pick<Companies, 'signIn' | 'person'>;
  readonly openBrowser: boolean;
  readonly discover: () => Promise<ProtectedServer>;
}

/** Returns the grant of a server where no user signs in, or undefined where a user does. */
export function repeatedGrantOf({ settings }: Server): RepeatedGrant | undefined {
  return repeatedGrants.find((grant) => grant === settings.grant);
}

/**
 * Signs in to a server whose authorization server needs no user: requests the first token with the secrets that the
 * user entered, and stores how to request the next one. Only a company's identity provider may need the user in the
 * browser, once for all of its servers. Throws AppError.
 */
export async function signInByGrant(
  deps: GrantSignInDeps,
  server: Server,
  grant: RepeatedGrant,
  attempt: Attempt,
): Promise<void> {
  if (grant === 'static_header') return storeStaticHeader(deps, server);
  const { http, clock, grants } = deps;
  const discovery = await deps.discover();
  attempt.step('register');
  const rules = rulesFor(server.settings, discovery);
  const client = ownClient(server, discovery, rules.resource, rules.quirks);
  const scopes = discovery.scopes.filter((scope) => scope !== 'offline_access');
  const credential = credentialFor(server, grant, client, scopes, clock.now());
  await bindToIssuer(deps, server, client, credential);

  const requestToken = async () => {
    attempt.step('exchange');
    return grants.requestToken(credential, await grants.withClientAuth(credential, client), {
      http,
      clock,
      signal: attempt.signal,
    });
  };
  const outcome =
    grant === 'enterprise_managed' ? await withCompany(deps, server, attempt, requestToken) : await requestToken();
  if (outcome.kind !== 'refreshed') throw outcome.error;
  const { tokens } = outcome;
  attempt.refuseIfCancelled();
  const identified = {
    ...credential,
    grantedScopes: tokens.scopes ?? scopes,
    account: client.clientId,
    ...deps.companies.person(server),
  };
  await storeSignIn(deps, identified, tokens);
}

/** If the company has ended its sign-in in the meantime, signs in there again and repeats the request once. */
async function withCompany<Value>(
  { companies, openBrowser }: GrantSignInDeps,
  server: Server,
  attempt: Attempt,
  requestToken: () => Promise<Value>,
): Promise<Value> {
  if (!companyOf(server)) return requestToken();
  await companies.signIn(server, attempt, { openBrowser });
  try {
    return await requestToken();
  } catch (error) {
    if (asAppError(error).code !== 'E_SIGN_IN_AGAIN') throw error;
    await companies.signIn(server, attempt, { openBrowser });
    return requestToken();
  }
}

/** Sends no request: the first call shows whether the server accepts the key. */
async function storeStaticHeader({ grants, clock, tokens, servers }: GrantSignInDeps, server: Server): Promise<void> {
  const { origin } = new URL(server.url);
  const client = {
    issuer: origin,
    tokenEndpoint: origin,
    clientId: '',
    clientAuth: 'none',
    resource: origin,
    allow: [],
  } as const;
  const credential = credentialFor(server, 'static_header', client, [], clock.now());
  const { value } = await grants.header(credential);
  await tokens.adopt(credential, value, undefined);
  await servers.update(server.id, { signInRequired: true });
}

function credentialFor(
  server: Server,
  grant: RepeatedGrant,
  client: TokenClient,
  scopes: readonly string[],
  now: number,
): Credential {
  const { allow: _policy, signingKey: _key, clientSecret: _secret, ...clientFacts } = client;
  return {
    id: server.id,
    serverUrl: server.url,
    ...clientFacts,
    grant,
    requestedScopes: scopes,
    grantedScopes: scopes,
    signedInAt: now,
    generation: 0,
  };
}

function ownClient(
  server: Server,
  { authorizationServer, allow }: ProtectedServer,
  resource: string,
  quirks: TokenClient['quirks'],
): TokenClient {
  if (server.clientId === undefined)
    throw new AppError(
      'E_CLIENT_ID_NEEDED',
      `${sanitizeExternalText(new URL(authorizationServer.issuer).host)} requires a client ID, and none is set.`,
    );
  const { clientId } = server;
  const clientAuth = clientAuthOf(server, authorizationServer.token_endpoint_auth_methods_supported);
  return clientAtServer(authorizationServer, {
    clientId,
    clientAuth,
    clientSecret: undefined,
    resource,
    quirks,
    allow,
  });
}

/** MCP, Authorization Server Binding: if the server later names another issuer, that one does not get the secret. */
async function bindToIssuer(
  { servers, clock, grants }: GrantSignInDeps,
  server: Server,
  client: TokenClient,
  credential: Credential,
): Promise<void> {
  const { clientId, clientAuth, issuer } = client;
  if (
    credential.grant === 'client_credentials' &&
    clientAuth !== 'tls_client_auth' &&
    !server.hasClientSecret &&
    !server.storedSecrets.includes('privateKey')
  ) {
    throw new AppError(
      'E_BAD_INPUT',
      `The client’s secret is missing. Enter it with: keybridge configure ${server.name} ` +
        '--secret-file clientSecret=FILE (or privateKey=FILE)',
      { field: 'clientSecret' },
    );
  }
  const known = server.registrations.filter((one) => one.how === 'configured' && one.client_id === clientId);
  if (known.some((one) => one.issuer === issuer)) return;
  const [elsewhere] = known;
  if (elsewhere && !(await enteredForHere(grants, credential, client))) throw clientElsewhere(elsewhere.issuer, issuer);
  const registration = {
    issuer,
    client_id: clientId,
    token_endpoint_auth_method: 'none',
    redirect_uri: '',
    registeredAt: clock.now(),
    hasSecret: server.hasClientSecret,
    how: 'configured',
  } as const;
  await servers.updateAccount(server.id, {
    registrations: [...server.registrations.filter((one) => !known.includes(one)), registration],
  });
}

/** Whether the client's secret or key was entered again, and so for this issuer. */
async function enteredForHere(grants: Grants, credential: Credential, client: TokenClient): Promise<boolean> {
  try {
    const { clientSecret, signingKey } = await grants.withClientAuth(credential, client);
    return clientSecret !== undefined || signingKey !== undefined;
  } catch (error) {
    if (asAppError(error).code === 'E_SECRET_AGAIN') return false;
    throw error;
  }
}
