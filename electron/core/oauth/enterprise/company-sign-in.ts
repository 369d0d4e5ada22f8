import type { SignInHosts } from '../../../../shared/model.ts';
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
import { atCompany, findIdentityProvider } from './identity-provider.ts';
import type { AddressClass, Http, ServerNetwork } from '../../http/http.ts';
import type { AuthorizationServer, Tokens, TokenClient, OAuthPorts } from '../model.ts';
import type { Credential, ClientAuth } from '../../vault/credential.ts';

export interface CompanySignInDeps {
  readonly ports: Pick<OAuthPorts, 'clock' | 'log'>;
  /** Throws where the person does not confirm, or has not confirmed, that the sign-in leads to these hosts. */
  readonly confirm: (hosts: SignInHosts) => Promise<void>;
  /** In which network the provider was found before, and now. */
  readonly known: AddressClass | undefined;
  readonly found: (network: ServerNetwork) => Promise<void>;
  /** What makes the page ask who it is to be, where that matters. */
  readonly choice: (metadata: AuthorizationServer) => AccountChoice;
  /** For the company alone: no certificate and no key of a server goes with it. */
  readonly http: Http;
  readonly keySets: KeySets;
  readonly listen: (
    options: Pick<RedirectListenerOptions, 'host' | 'path' | 'serverName'>,
  ) => Promise<RedirectListener>;
  /** Opens the page where that is wanted; does not throw. */
  readonly open: (url: URL) => void;
}

export interface CompanyClient {
  readonly company: Company;
  readonly clientSecret: Secret | undefined;
  readonly redirectHost: RedirectHost;
  /** Of the server for which it is done first, for the page. */
  readonly serverName: string;
  /**
   * Origin where this server's settings have the ID token exchanged; undefined: at the provider's own token endpoint.
   */
  readonly exchangeAt: string | undefined;
}

/** What came of it: `idToken` with its life in ms, and what the vault keeps. */
export interface CompanySignedIn {
  readonly credential: Credential;
  readonly idToken: Secret;
  readonly lifeMs: number;
}

/**
 * Where the answers of every company's identity provider come in. One path for all, so that an administrator can
 * register it without knowing anything of this computer; no MCP server's sign-in ever uses it.
 */
const companyRedirectPath = '/callback/enterprise';

/** For the person in the browser. */
const answerWithinMs = 10 * 60 * 1000;

/**
 * Single sign-on at the company's identity provider (OpenID Connect Core 3.1, PKCE, nonce, state, loopback redirect):
 * once for all servers of the company. Throws AppError that says that it was there.
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
    throw known.code === 'E_CANCELLED' ? known : atCompany(known, client.company.issuer);
  }
}

async function run(
  { ports, http, keySets, listen, open, choice, confirm, known, found }: CompanySignInDeps,
  { company, clientSecret, redirectHost, serverName }: CompanyClient,
  attempt: Attempt,
): Promise<CompanySignedIn> {
  const { clock, log } = ports;
  const { signal } = attempt;
  const { metadata, allow } = await findIdentityProvider(http, company.issuer, known, signal);
  await found(allow);
  await confirm(endpointHosts(metadata, 'page'));
  const client = tokenClient(company, metadata, clientSecret, allow);
  const scopes = ['openid', ...(metadata.scopes_supported?.includes('offline_access') ? ['offline_access'] : [])];

  const listener = await listen({ host: redirectHost, path: companyRedirectPath, serverName });
  const callbackResult = createCallbackResult();
  let used = false;
  try {
    const { redirectUri } = listener;
    const { url, state, codeVerifier, nonce } = await authorizationRequest({
      authorizationServer: metadata,
      clientId: company.clientId,
      redirectUri,
      scopes,
      ...choice(metadata),
    });
    const pending = attempt.awaitResponseAt(redirectUri, expectedResponse(state, metadata));
    listener.handleWith(createCallbackHandler(pending, callbackResult.promise));
    attempt.step('browser', { url: url.href });
    open(url);
    const answer = await withLimit(pending.response, {
      clock,
      ms: answerWithinMs,
      signal,
      aborted: cancelled,
      late: () => {
        throw tooLate(redirectUri);
      },
    });
    used = true;
    if (answer.kind === 'refused') throw answer.error;

    attempt.step('exchange');
    const tokens = await exchangeCode(
      client,
      { code: answer.code, codeVerifier, redirectUri },
      { http, clock, signal },
    );
    const { idToken } = tokens;
    const check = checkIdToken(
      idToken,
      { issuer: company.issuer, clientId: company.clientId, ...(nonce ? { nonce } : {}) },
      clock.now(),
    );
    if (!idToken || check.kind === 'bad')
      throw new AppError(
        'E_TOKEN_RESPONSE',
        `The sign-in response cannot be used: ${check.kind === 'bad' ? check.why : ''}.`,
      );
    const identity = await identify(
      { http, clock, log, keySets },
      { owner: company.id, authorizationServer: metadata, client, tokens, scopes, signal, ...(nonce ? { nonce } : {}) },
    );
    attempt.refuseIfCancelled();
    callbackResult.resolve({ kind: 'signed_in' });
    // TLS stands for its signature where the keys could not be had (OpenID Connect Core 3.1.3.7, 6).
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
    listener.retire(used ? 'used' : 'expired');
  }
}

/** A provider that does not know the redirect URI says so in the browser, and to nobody else. */
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
    // There is none: the request asks who somebody is.
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

/**
 * The ID token stands where a server's access token stands: in memory, but for a provider that gives no refresh token.
 */
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
    ...(refreshToken && revocationEndpoint !== undefined ? { revocationEndpoint } : {}),
    ...(refreshToken ? { refreshToken } : {}),
    ...identity,
    requestedScopes: scopes,
    grantedScopes: scopes,
    signedInAt: now,
    generation: 0,
  };
}
