import { defined } from '../../../../shared/defined.ts';
import type { Clock } from '../../base/clock.ts';
import { asAppError, type AppError } from '../../base/errors.ts';
import type { Http } from '../../http/http.ts';
import type { Server } from '../../servers/server.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { createCallbackResult } from '../authorization/callback-handler.ts';
import { redirectPorts, type RedirectListener } from '../authorization/loopback-server.ts';
import type { Grants } from '../model.ts';
import type { RegistrationDeps } from '../registration/registration-model.ts';
import { dropRegistration } from '../registration/registration-store.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import { authorize, type BrowserSignInRequest, type Callback } from './authorize.ts';
import { credentialOf, storeSignIn } from './credential.ts';
import { exchangeAs } from './exchange-code.ts';
import { refuseWithoutPkce } from './provider-rules.ts';
import { listenAndRegister } from './redirect-registration.ts';

export interface BrowserSignInDeps {
  readonly clock: Clock;
  readonly httpOf: (accountKey: string) => Http;
  readonly servers: Pick<Servers, 'find' | 'update' | 'updateAccount'>;
  readonly vault: Pick<Vault, 'facts'>;
  readonly tokens: Pick<AccessTokens, 'adopt'>;
  readonly grants: Grants;
  readonly registering: Omit<RegistrationDeps, 'http'>;
  /** The client ID that the authorization server rejected as unknown at the last refresh. */
  readonly refusedClient: (accountKey: string) => string | undefined;
  /** Ports for the redirect listener, in the order to try. Defaults to `redirectPorts`. */
  readonly redirectPorts?: readonly number[];
}

/** The usual sign-in: authorization code with PKCE, and a redirect to this computer (RFC 8252). */
export interface BrowserSignIn {
  /** Returns 'again' if the server did not know our old registration, which has been dropped. Throws AppError. */
  signIn(request: BrowserSignInRequest, attempt: Attempt): Promise<'done' | 'again'>;
  /** Frees the ports. */
  close(): Promise<void>;
}

/** How a sign-in ended. `oauthError`: the code of the authorization endpoint's error response. */
type Outcome = { readonly kind: 'signed_in' } | Failure;

interface Failure {
  readonly kind: 'failed';
  readonly error: AppError;
  readonly oauthError: string | undefined;
}

export function createBrowserSignIn(deps: BrowserSignInDeps): BrowserSignIn {
  const { httpOf, registering } = deps;
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
      const outcome = await authorizeAndStore(deps, request, callback, attempt).catch(failed);
      const again = outcome.kind === 'failed' && (await dropIfForgotten(registering, server, callback, outcome));
      callback.result.resolve(again ? { kind: 'again' } : outcome);
      if (again) return 'again';
      if (outcome.kind === 'failed') throw outcome.error;
      return 'done';
    } finally {
      redirect.listener.retire(callback.pending?.received ? 'used' : 'expired');
      retired.add(redirect.listener);
    }
  }

  /** A listener keeps its port for a moment after its sign-in, to show a page to late requests. */
  async function freePorts(): Promise<void> {
    const listeners = [...retired];
    retired.clear();
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  return { signIn, close: freePorts };
}

const failed = (error: unknown): Failure => ({ kind: 'failed', error: asAppError(error), oauthError: undefined });

async function authorizeAndStore(
  deps: BrowserSignInDeps,
  request: BrowserSignInRequest,
  callback: Callback,
  attempt: Attempt,
): Promise<Outcome> {
  const { clock, httpOf, servers } = deps;
  const { server, discovery, whoIs } = request;
  const { authorizationServer } = discovery;
  const { signal } = attempt;
  const options = { http: httpOf(server.id), clock, signal };
  const authorization = await authorize(deps, request, callback, attempt, options);
  if (authorization.kind === 'refused') return { ...authorization, kind: 'failed' };

  const { scopes, code, nonce } = authorization;
  attempt.step('exchange');
  const { registration } = callback.redirect;
  const { client, tokens } = await exchangeAs(
    { servers, server, registration, authorizationServer },
    authorization.client,
    code,
    options,
  );
  const identity = await whoIs({ authorizationServer, client, tokens, scopes, signal, ...defined({ nonce }) });
  attempt.refuseIfCancelled();
  await storeSignIn(deps, credentialOf(server, client, scopes, tokens, identity, clock.now()), tokens);
  return { kind: 'signed_in' };
}

/**
 * Drops a reused registration that the server no longer knows or that was made for other scopes. Also drops it when no
 * response arrived: some servers show "unknown client" in the browser and send nothing. Returns whether to sign in
 * again at once.
 */
async function dropIfForgotten(
  registering: BrowserSignInDeps['registering'],
  server: Server,
  { redirect, pending }: Callback,
  { error, oauthError }: Failure,
): Promise<boolean> {
  if (!redirect.reused) return false;
  const isRefused = error.code === 'E_CLIENT_REFUSED' || oauthError === 'invalid_scope';
  const hasResponse = pending?.received ?? true;
  if (isRefused || !hasResponse) await dropRegistration(registering, server.id, redirect.registration);
  return isRefused;
}
