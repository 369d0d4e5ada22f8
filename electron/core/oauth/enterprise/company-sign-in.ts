import { defined } from '../../../../shared/defined.ts';
import type { SignInHosts } from '../../../../shared/sign-in-state.ts';
import { AppError, asAppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { AccountChoice } from '../authorization/account-choice.ts';
import { authorizationRequest } from '../authorization/authorization-request.ts';
import { identify, type Identity } from '../identity/identity.ts';
import type { KeySets } from '../identity/jwks.ts';
import type { RedirectHost, RedirectListener, RedirectListenerOptions } from '../authorization/loopback-server.ts';
import { clientSecretMethod } from '../client-auth/client-secret.ts';
import { endpointHosts } from '../authorization/endpoint-hosts.ts';
import { createCallbackResult, expectedResponse, createCallbackHandler } from '../authorization/callback-handler.ts';
import { withLimit } from '../../base/async.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { cancelled } from '../authorization/sign-in-faults.ts';
import { clientAtServer } from '../token-endpoint/token-client.ts';
import { exchangeCode } from '../token-endpoint/token-endpoint.ts';
import type { Company } from './company.ts';
import { checkIdToken } from './id-token-response.ts';
import { asCompanyError, findIdentityProvider } from './identity-provider.ts';
import type { AddressClass, Http, ServerNetwork } from '../../http/http.ts';
import type { AuthorizationServer, Tokens, TokenClient, OAuthPorts } from '../model.ts';
import type { Credential, ClientAuth } from '../../vault/credential.ts';

export interface CompanySignInDeps {
  readonly ports: Pick<OAuthPorts, 'clock' | 'log'>;
  /** Throws if the user has not confirmed, or does not confirm, these hosts. */
  readonly confirm: (hosts: SignInHosts) => Promise<void>;
  /** The network in which the provider was found before. */
  readonly network: AddressClass | undefined;
  readonly saveNetwork: (network: ServerNetwork) => Promise<void>;
  /** Request parameters that make the page ask for the account, if needed. */
  readonly accountChoice: (metadata: AuthorizationServer) => AccountChoice;
  /** For this company only: it uses no certificate or key of a server. */
  readonly http: Http;
  readonly keySets: KeySets;
  readonly listen: (
    options: Pick<RedirectListenerOptions, 'host' | 'path' | 'serverName'>,
  ) => Promise<RedirectListener>;
  /** Opens the page in the browser, if requested. Does not throw. */
  readonly open: (url: URL) => void;
}

export interface CompanyClient {
  readonly company: Company;
  readonly clientSecret: Secret | undefined;
  readonly redirectHost: RedirectHost;
  /** The server that started the sign-in, for the result page. */
  readonly serverName: string;
  /** The origin of the token endpoint in this server's settings. Undefined: the provider's own token endpoint. */
  readonly exchangeAt: string | undefined;
}

export interface CompanySignedIn {
  /** What the vault keeps. */
  readonly credential: Credential;
  readonly idToken: Secret;
  /** Lifetime of the ID token. */
  readonly lifeMs: number;
}

/**
 * The path of the redirect URI for every company. It is fixed, so that an administrator can register it in advance. No
 * sign-in to an MCP server uses it.
 */
const companyRedirectPath = '/callback/enterprise';

/** Time for the user in the browser. */
const responseTimeoutMs = 10 * 60 * 1000;

/**
 * Single sign-on at the company's identity provider (OpenID Connect Core 3.1, PKCE, nonce, state, loopback redirect),
 * once for all servers of the company. Throws AppError, which names the identity provider.
 */
export async function signInAtCompany(
  deps: CompanySignInDeps,
  client: CompanyClient,
  attempt: Attempt,
): Promise<CompanySignedIn> {
  try {
    return await run(deps, client, attempt);
  } catch (error) {
    const known = asAppError(error);
    throw known.code === 'E_CANCELLED' ? known : asCompanyError(known, client.company.issuer);
  }
}

async function run(
  { ports, http, keySets, listen, open, accountChoice, confirm, network, saveNetwork }: CompanySignInDeps,
  { company, clientSecret, redirectHost, serverName }: CompanyClient,
  attempt: Attempt,
): Promise<CompanySignedIn> {
  const { clock, log } = ports;
  const { signal } = attempt;
  const { metadata, allow } = await findIdentityProvider(http, company.issuer, network, signal);
  await saveNetwork(allow);
  await confirm(endpointHosts(metadata, 'page'));
  const client = tokenClient(company, metadata, clientSecret, allow);
  const scopes = ['openid', ...(metadata.scopes_supported?.includes('offline_access') ? ['offline_access'] : [])];

  const listener = await listen({ host: redirectHost, path: companyRedirectPath, serverName });
  const callbackResult = createCallbackResult();
  let responded = false;
  try {
    const { redirectUri } = listener;
    const { url, state, codeVerifier, nonce } = await authorizationRequest({
      authorizationServer: metadata,
      clientId: company.clientId,
      redirectUri,
      scopes,
      ...accountChoice(metadata),
    });
    const pending = attempt.awaitResponseAt(redirectUri, expectedResponse(state, metadata));
    listener.handleWith(createCallbackHandler(pending, callbackResult.promise));
    attempt.step('browser', { url: url.href });
    open(url);
    const response = await withLimit(pending.response, {
      clock,
      ms: responseTimeoutMs,
      signal,
      aborted: cancelled,
      late: () => {
        throw tooLate(redirectUri);
      },
    });
    responded = true;
    if (response.kind === 'refused') throw response.error;

    attempt.step('exchange');
    const tokens = await exchangeCode(
      client,
      { code: response.code, codeVerifier, redirectUri },
      { http, clock, signal },
    );
    const { idToken } = tokens;
    const check = checkIdToken(
      idToken,
      { issuer: company.issuer, clientId: company.clientId, ...defined({ nonce }) },
      clock.now(),
    );
    if (!idToken || check.kind === 'invalid')
      throw new AppError(
        'E_TOKEN_RESPONSE',
        `The sign-in response cannot be used: ${check.kind === 'invalid' ? check.reason : ''}.`,
      );
    const identity = await identify(
      { http, clock, log, keySets },
      { owner: company.id, authorizationServer: metadata, client, tokens, scopes, signal, ...defined({ nonce }) },
    );
    attempt.refuseIfCancelled();
    callbackResult.resolve({ kind: 'signed_in' });
    // Without the provider's keys, TLS takes the place of the signature check (OpenID Connect Core 3.1.3.7, step 6).
    const who = { subject: { issuer: company.issuer, sub: check.subject }, ...identity };
    return {
      credential: credentialFor(client, company.id, scopes, tokens, who, clock.now()),
      idToken,
      lifeMs: check.lifeMs,
    };
  } catch (error) {
    callbackResult.resolve({ kind: 'failed', error: asAppError(error) });
    throw error;
  } finally {
    listener.retire(responded ? 'used' : 'expired');
  }
}

/** Names the redirect URI: if the provider does not know it, only its page in the browser says so. */
const tooLate = (redirectUri: string) =>
  new AppError(
    'E_SIGN_IN_TIMEOUT',
    'The sign-in was not finished in the browser within ten minutes. ' +
      `The company’s administrator must register ${redirectUri} for Keybridge.`,
  );

function tokenClient(
  { issuer, clientId }: Company,
  metadata: AuthorizationServer,
  clientSecret: Secret | undefined,
  allow: TokenClient['allow'],
): TokenClient {
  return clientAtServer(metadata, {
    clientId,
    clientSecret,
    clientAuth: companyClientAuth(metadata, clientSecret),
    // Required here, but not sent: the request is for an ID token.
    resource: issuer,
    quirks: { omitResource: true },
    allow,
  });
}

export function companyClientAuth(
  metadata: Pick<AuthorizationServer, 'token_endpoint_auth_methods_supported'> | undefined,
  clientSecret: Secret | undefined,
): ClientAuth {
  return clientSecret ? clientSecretMethod(metadata?.token_endpoint_auth_methods_supported) : 'none';
}

function credentialFor(
  client: TokenClient,
  id: string,
  scopes: readonly string[],
  { refreshToken }: Tokens,
  identity: Identity,
  now: number,
): Credential {
  const { allow: _policy, revocationEndpoint, introspectionEndpoint: _introspection, ...who } = client;
  return {
    id,
    ...who,
    // Only a refresh token can be revoked.
    ...defined({ revocationEndpoint: refreshToken && revocationEndpoint, refreshToken }),
    ...identity,
    requestedScopes: scopes,
    grantedScopes: scopes,
    signedInAt: now,
    generation: 0,
  };
}
