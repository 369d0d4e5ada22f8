import { defined } from '../../../../shared/defined.ts';
import { asAppError, type AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import { accountChoice } from '../authorization/account-choice.ts';
import { authorizationRequest } from '../authorization/authorization-request.ts';
import type { Identity, IdentityRequest } from '../identity/identity.ts';
import { pushedRequest } from '../authorization/pushed-request.ts';
import { listenAndRegister, type RedirectRegistration } from './redirect-registration.ts';
import { redirectPorts, type RedirectListener } from '../authorization/loopback-server.ts';
import { withoutRefused } from '../scopes.ts';
import {
  createCallbackHandler,
  createCallbackResult,
  expectedResponse,
  type PendingAuthorization,
} from '../authorization/callback-handler.ts';
import { withLimit } from '../../base/async.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { cancelled, signInTimedOut } from '../authorization/sign-in-faults.ts';
import { credentialOf, tokenClient } from './credential.ts';
import { refuseWithoutPkce, type ProviderRules } from './provider-rules.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import type { Clock } from '../../base/clock.ts';
import type { Http } from '../../http/http.ts';
import type { Discovery, Grants, TokenClient, TokenEndpointOptions } from '../model.ts';
import type { CodeGrant } from '../token-endpoint/token-endpoint.ts';
import { exchangeAs } from './exchange-code.ts';
import type { Server } from '../../servers/server.ts';
import { dropRegistration } from '../registration/registration-store.ts';
import type { RegistrationDeps } from '../registration/registration-model.ts';

export interface BrowserSignInDeps {
  readonly clock: Clock;
  readonly httpOf: (accountKey: string) => Http;
  readonly servers: Pick<Servers, 'find' | 'update' | 'updateAccount'>;
  readonly vault: Pick<Vault, 'facts'>;
  readonly tokens: Pick<AccessTokens, 'adopt'>;
  readonly grants: Grants;
  readonly registering: Omit<RegistrationDeps, 'http'>;
  /** The client ID with which a refresh failed because the authorization server no longer knows it. */
  readonly refusedClient: (accountKey: string) => string | undefined;
  /** Ports for the redirect, in the order of trying; `redirectPorts` when absent. */
  readonly redirectPorts?: readonly number[];
}

interface BrowserSignInRequest {
  readonly server: Server;
  readonly discovery: Extract<Discovery, { kind: 'protected' }>;
  readonly rules: ProviderRules;
  readonly scopes: readonly string[];
  readonly whoIs: (request: Omit<IdentityRequest, 'owner'>) => Promise<Identity>;
  /** Opens the page where the user wants that; a failure is shown, and the sign-in goes on waiting. */
  readonly open: (url: URL) => void;
}

/** How long the person in the browser has. */
const respondWithinMs = 10 * 60 * 1000;

/** The usual sign-in: authorization code with PKCE, and a redirect to this computer (RFC 8252). */
export interface BrowserSignIn {
  /** 'again': the server did not know our old registration, which has been dropped. Throws AppError. */
  signIn(request: BrowserSignInRequest, attempt: Attempt): Promise<'done' | 'again'>;
  /** Frees the ports. */
  close(): Promise<void>;
}

/** The redirect of one sign-in: where its response arrives, and what the page in the browser then shows. */
interface Callback {
  readonly redirect: RedirectRegistration;
  readonly result: ReturnType<typeof createCallbackResult>;
  /** Undefined until a response is awaited. */
  pending?: PendingAuthorization;
}

/** What the authorization endpoint decided. `client`: who we are at the token endpoint, for the code. */
type Authorization =
  | {
      readonly kind: 'authorized';
      readonly client: TokenClient;
      readonly scopes: readonly string[];
      readonly code: CodeGrant;
      readonly nonce: Secret | undefined;
    }
  | { readonly kind: 'refused'; readonly error: AppError; readonly oauthError: string | undefined };

/** How a sign-in ended. `oauthError`: the code of the authorization endpoint's error response. */
type Outcome =
  | { readonly kind: 'signed_in' }
  | { readonly kind: 'failed'; readonly error: AppError; readonly oauthError: string | undefined };

export function createBrowserSignIn(deps: BrowserSignInDeps): BrowserSignIn {
  const { clock, httpOf, servers, grants, registering } = deps;
  const ports = deps.redirectPorts ?? redirectPorts;
  const retired = new Set<RedirectListener>();

  async function signIn(request: BrowserSignInRequest, attempt: Attempt): Promise<'done' | 'again'> {
    const { server, discovery, rules, scopes } = request;
    refuseWithoutPkce(server, discovery, rules);

    attempt.step('register');
    await freePorts();
    const redirect = await listenAndRegister(
      { ...registering, http: httpOf(server.id) },
      {
        server,
        discovery,
        scopes,
        refused: deps.refusedClient(server.id),
        ports,
        signal: attempt.signal,
        ...defined({ preset: rules.preset }),
      },
    );
    const callback: Callback = { redirect, result: createCallbackResult() };
    try {
      const outcome = await authorizeAndStore(request, callback, attempt).catch(failed);
      const again = outcome.kind === 'failed' && (await dropIfForgotten(server, callback, outcome));
      callback.result.resolve(again ? { kind: 'again' } : outcome);
      if (again) return 'again';
      if (outcome.kind === 'failed') throw outcome.error;
      return 'done';
    } finally {
      redirect.listener.retire(callback.pending?.received ? 'used' : 'expired');
      retired.add(redirect.listener);
    }
  }

  async function authorizeAndStore(
    request: BrowserSignInRequest,
    callback: Callback,
    attempt: Attempt,
  ): Promise<Outcome> {
    const { server, discovery, whoIs } = request;
    const { authorizationServer } = discovery;
    const { signal } = attempt;
    const endpoint = { http: httpOf(server.id), clock, signal };
    const authorization = await authorize(request, callback, attempt, endpoint);
    if (authorization.kind === 'refused') return { ...authorization, kind: 'failed' };

    const { client, scopes, code, nonce } = authorization;
    attempt.step('exchange');
    const { registration } = callback.redirect;
    const exchanged = await exchangeAs({ servers, server, registration, authorizationServer }, client, code, endpoint);
    const { client: known, tokens } = exchanged;
    const identity = await whoIs({ authorizationServer, client: known, tokens, scopes, signal, ...defined({ nonce }) });
    attempt.refuseIfCancelled();
    await servers.update(server.id, { signInRequired: true });
    await deps.tokens.adopt(
      credentialOf(server, known, scopes, tokens, identity, clock.now()),
      tokens.accessToken,
      tokens.expiresInMs,
    );
    return { kind: 'signed_in' };
  }

  /** From the authorization request to its response. Throws AppError where there is no response. */
  async function authorize(
    { server, discovery, rules, scopes: wanted, open }: BrowserSignInRequest,
    callback: Callback,
    attempt: Attempt,
    endpoint: TokenEndpointOptions,
  ): Promise<Authorization> {
    const { authorizationServer } = discovery;
    const { registration, listener } = callback.redirect;
    const { redirect_uri: redirectUri, client_id: clientId } = registration;
    const scopes = withoutRefused(wanted, registration);
    const client = await grants.withClientAuth({ id: server.id }, tokenClient(discovery, callback.redirect, rules));
    const { url, state, codeVerifier, nonce } = await authorizationRequest({
      authorizationServer,
      clientId,
      redirectUri,
      scopes,
      extra: rules.authorizeParameters,
      ...accountChoice(deps, server, authorizationServer, rules.preset),
      ...defined({ resource: rules.sendResource ? rules.resource : undefined }),
    });
    const pushed = await pushedRequest(client, authorizationServer, url, endpoint);
    if (pushed.kind === 'refused') return pushed;
    callback.pending = attempt.awaitResponseAt(redirectUri, expectedResponse(state, authorizationServer));
    listener.handleWith(createCallbackHandler(callback.pending, callback.result.promise));

    attempt.step('browser', { url: pushed.url.href });
    open(pushed.url);
    const response = await withLimit(callback.pending.response, {
      clock,
      ms: respondWithinMs,
      signal: attempt.signal,
      aborted: cancelled,
      late: () => {
        throw signInTimedOut();
      },
    });
    if (response.kind === 'refused') return { ...response, oauthError: response.oauthError };
    const code = { code: response.code, codeVerifier, redirectUri };
    return { kind: 'authorized', client, scopes, code, nonce };
  }

  /**
   * Drops a registration of an earlier sign-in that the server no longer seems to know, or that was made for other
   * scopes. The same when no response came at all: servers show "unknown client" in the browser and send nothing.
   * True: sign in again at once.
   */
  async function dropIfForgotten(
    server: Server,
    { redirect, pending }: Callback,
    { error, oauthError }: Extract<Outcome, { kind: 'failed' }>,
  ): Promise<boolean> {
    if (!redirect.reused) return false;
    const refused = error.code === 'E_CLIENT_REFUSED' || oauthError === 'invalid_scope';
    const responded = pending?.received ?? true;
    if (refused || !responded) await dropRegistration(registering, server.id, redirect.registration);
    return refused;
  }

  /** A sign-in that ended a moment ago may still use its port, for the page that a second request to it gets. */
  async function freePorts(): Promise<void> {
    const listeners = [...retired];
    retired.clear();
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  return { signIn, close: freePorts };
}

const failed = (error: unknown): Outcome => ({ kind: 'failed', error: asAppError(error), oauthError: undefined });
