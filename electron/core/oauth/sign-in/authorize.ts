import { defined } from '../../../../shared/defined.ts';
import { withLimit } from '../../base/async.ts';
import type { Clock } from '../../base/clock.ts';
import type { AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { Server } from '../../servers/server.ts';
import type { Vault } from '../../vault/credentials.ts';
import { accountChoice } from '../authorization/account-choice.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { authorizationRequest } from '../authorization/authorization-request.ts';
import {
  createCallbackHandler,
  expectedResponse,
  type createCallbackResult,
  type PendingAuthorization,
} from '../authorization/callback-handler.ts';
import { pushedRequest } from '../authorization/pushed-request.ts';
import { cancelled, signInTimedOut } from '../authorization/sign-in-faults.ts';
import type { Identity, IdentityRequest } from '../identity/identity.ts';
import type { Grants, TokenClient, TokenEndpointOptions } from '../model.ts';
import { withoutRefused } from '../scopes.ts';
import type { CodeGrant } from '../token-endpoint/token-endpoint.ts';
import { tokenClient } from './credential.ts';
import type { ProtectedServer } from './discover-server.ts';
import type { ProviderRules } from './provider-rules.ts';
import type { RedirectRegistration } from './redirect-registration.ts';

export interface BrowserSignInRequest {
  readonly server: Server;
  readonly discovery: ProtectedServer;
  readonly rules: ProviderRules;
  readonly scopes: readonly string[];
  readonly whoIs: (request: Omit<IdentityRequest, 'owner'>) => Promise<Identity>;
  /** Opens the page, if the user wants that. A failure shows in the progress, and the sign-in keeps waiting. */
  readonly open: (url: URL) => void;
}

/** Where one sign-in receives its response, and the result that the browser page then shows. */
export interface Callback {
  readonly redirect: RedirectRegistration;
  readonly result: ReturnType<typeof createCallbackResult>;
  /** Undefined until a response is awaited. */
  pending?: PendingAuthorization;
}

/** The decision of the authorization endpoint. `client`: our client at the token endpoint, for the code. */
type Authorization =
  | {
      readonly kind: 'authorized';
      readonly client: TokenClient;
      readonly scopes: readonly string[];
      readonly code: CodeGrant;
      readonly nonce: Secret | undefined;
    }
  | { readonly kind: 'refused'; readonly error: AppError; readonly oauthError: string | undefined };

interface AuthorizeDeps {
  readonly vault: Pick<Vault, 'facts'>;
  readonly grants: Grants;
}

/** Time limit for the user in the browser. */
const respondWithinMs = 10 * 60 * 1000;

/**
 * Sends the authorization request through the browser and waits for its response. Throws E_CANCELLED,
 * E_SIGN_IN_TIMEOUT, and the errors of `withClientAuth`.
 */
export async function authorize(
  deps: AuthorizeDeps,
  { server, discovery, rules, scopes: requested, open }: BrowserSignInRequest,
  callback: Callback,
  attempt: Attempt,
  options: TokenEndpointOptions & { readonly clock: Clock },
): Promise<Authorization> {
  const { authorizationServer } = discovery;
  const { registration, listener } = callback.redirect;
  const { redirect_uri: redirectUri, client_id: clientId } = registration;
  const scopes = withoutRefused(requested, registration);
  const client = await deps.grants.withClientAuth({ id: server.id }, tokenClient(discovery, callback.redirect, rules));
  const { url, state, codeVerifier, nonce } = await authorizationRequest({
    authorizationServer,
    clientId,
    redirectUri,
    scopes,
    extra: rules.authorizeParameters,
    ...accountChoice(deps, server, authorizationServer, rules.preset),
    ...defined({ resource: rules.sendResource ? rules.resource : undefined }),
  });
  const pushed = await pushedRequest(client, authorizationServer, url, options);
  if (pushed.kind === 'refused') return pushed;
  callback.pending = attempt.awaitResponseAt(redirectUri, expectedResponse(state, authorizationServer));
  listener.handleWith(createCallbackHandler(callback.pending, callback.result.promise));

  attempt.step('browser', { url: pushed.url.href });
  open(pushed.url);
  const response = await withLimit(callback.pending.response, {
    clock: options.clock,
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
