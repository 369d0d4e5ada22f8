import { asAppError } from '../../base/errors.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import { accountChoice } from '../authorization/account-choice.ts';
import { authorizationRequest } from '../authorization/authorization-request.ts';
import type { Identity, IdentityRequest } from '../identity/identity.ts';
import { pushedRequest } from '../authorization/pushed-request.ts';
import type { AnswerSlot } from '../authorization/authorization-response.ts';
import { listenAndRegister, type RedirectRegistration } from './redirect-registration.ts';
import { redirectPorts, type RedirectListener } from '../authorization/loopback-server.ts';
import { dropRegistration, type RegistrationDeps } from '../registration/registration.ts';
import { withoutRefused } from '../scopes.ts';
import { createCallbackResult, expectedAnswer, callbackHandlerOf, tooLate } from '../authorization/callback-handler.ts';
import { within, type Attempt } from '../authorization/attempt.ts';
import { credentialOf, tokenClient } from './credential.ts';
import { refuseWithoutPkce, type ProviderRules } from './provider-rules.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import type { Clock } from '../../base/clock.ts';
import type { Http } from '../../http/http.ts';
import type { Discovery, Grants } from '../model.ts';
import { exchangeAs } from './exchange-code.ts';
import type { Server } from '../../servers/server.ts';

export interface BrowserSignInDeps {
  readonly clock: Clock;
  readonly httpOf: (server: Server) => Http;
  readonly servers: Pick<Servers, 'find' | 'update' | 'updateAccount'>;
  readonly vault: Pick<Vault, 'facts'>;
  readonly tokens: Pick<AccessTokens, 'adopt'>;
  readonly grants: Grants;
  readonly registering: RegistrationDeps;
  /** The client ID that a refresh ended with, because the authorization server knew it no more. */
  readonly refusedClient?: (accountKey: string) => string | undefined;
  /** Ports for the redirect, in the order of trying; `redirectPorts` when absent. */
  readonly redirectPorts?: readonly number[];
}

interface BrowserSignInRequest {
  readonly server: Server;
  readonly discovery: Extract<Discovery, { kind: 'protected' }>;
  readonly rules: ProviderRules;
  readonly scopes: readonly string[];
  readonly whoIs: (request: Omit<IdentityRequest, 'owner'>) => Promise<Identity>;
  /** Opens the page; absent: the caller does that. */
  readonly open?: (url: URL) => void;
}

/** For the person in the browser. */
const answerWithinMs = 10 * 60 * 1000;

/** The LOGIN PATH's usual way: authorization code with PKCE, and a redirect to this computer (RFC 8252). */
export interface BrowserSignIn {
  /** 'again': the server did not know our old registration, which is dropped now. Throws AppError. */
  signIn(request: BrowserSignInRequest, attempt: Attempt): Promise<'done' | 'again'>;
  /** Frees the ports. */
  close(): Promise<void>;
}

export function createBrowserSignIn(deps: BrowserSignInDeps): BrowserSignIn {
  const { clock, httpOf, servers, grants, registering } = deps;
  const ports = deps.redirectPorts ?? redirectPorts;
  const retired = new Set<RedirectListener>();

  async function signIn(
    { server, discovery, rules, scopes: wanted, whoIs, open }: BrowserSignInRequest,
    attempt: Attempt,
  ): Promise<'done' | 'again'> {
    const { signal } = attempt;
    refuseWithoutPkce(server, discovery, rules);

    attempt.step('register');
    await freePorts();
    const door = await listenAndRegister(
      { ...registering, http: httpOf(server) },
      {
        server,
        discovery,
        scopes: wanted,
        refused: deps.refusedClient?.(server.id),
        ports,
        signal,
        ...(rules.preset ? { preset: rules.preset } : {}),
      },
    );
    const ending = createCallbackResult();
    let slot: AnswerSlot | undefined;
    let oauthError: string | undefined;
    try {
      const { redirect_uri: redirectUri, client_id: clientId } = door.registration;
      const scopes = withoutRefused(wanted, door.registration);
      const { authorizationServer } = discovery;
      const { resource, sendResource, authorizeParameters: extra } = rules;
      const client = await grants.equip({ id: server.id }, tokenClient(discovery, door, rules));
      const endpoint = { http: httpOf(server), clock: clock, signal };
      const request = await authorizationRequest({
        authorizationServer,
        clientId,
        redirectUri,
        scopes,
        extra,
        ...accountChoice(deps, server, authorizationServer, rules.preset),
        ...(sendResource ? { resource } : {}),
      });
      const { state, codeVerifier, nonce } = request;
      const pushed = await pushedRequest(client, authorizationServer, request.url, endpoint);
      if (pushed.kind === 'refused') {
        ({ oauthError } = pushed);
        throw pushed.error;
      }
      const { url } = pushed;
      slot = attempt.waitAt(redirectUri, expectedAnswer(state, authorizationServer));
      door.listener.receive(callbackHandlerOf(slot, ending.promise));

      attempt.step('browser', { url: url.href });
      open?.(url);
      const answer = await within(slot.received, clock, answerWithinMs, signal, tooLate);
      if (answer.kind === 'refused') {
        ({ oauthError } = answer);
        throw answer.error;
      }

      attempt.step('exchange');
      const { client: known, tokens } = await exchangeAs(
        { servers, server, door, authorizationServer },
        client,
        { code: answer.code, codeVerifier, redirectUri },
        endpoint,
      );
      const identity = await whoIs({
        authorizationServer,
        client: known,
        tokens,
        scopes,
        signal,
        ...(nonce ? { nonce } : {}),
      });
      attempt.refuseIfCancelled();
      await servers.update(server.id, { signInRequired: true });
      await deps.tokens.adopt(
        credentialOf(server, known, scopes, tokens, identity, clock.now()),
        tokens.accessToken,
        tokens.expiresInMs,
      );
      ending.end({ kind: 'signed_in' });
      return 'done';
    } catch (error) {
      const known = asAppError(error);
      const again = await forget(server, door, { code: known.code, oauthError, answered: slot?.taken ?? true });
      ending.end(again ? { kind: 'again' } : { kind: 'failed', error: known });
      if (again) return 'again';
      throw known;
    } finally {
      door.listener.retire(slot?.taken ? 'used' : 'expired');
      retired.add(door.listener);
    }
  }

  /**
   * Drops a registration of an earlier sign-in that the server seems to know no more, or that was made for other
   * scopes. When no answer came at all that may be the reason too: servers show "unknown client" in the browser and
   * send nothing. True: sign in again at once.
   */
  async function forget(
    server: Server,
    door: RedirectRegistration,
    { code, oauthError, answered }: { code: string; oauthError: string | undefined; answered: boolean },
  ): Promise<boolean> {
    if (!door.reused) return false;
    const refused = code === 'E_CLIENT_REFUSED' || oauthError === 'invalid_scope';
    if (refused || !answered) await dropRegistration(registering, server.id, door.registration);
    return refused;
  }

  /** A sign-in that ended a moment ago may still hold its port, to say so to a browser that comes twice. */
  async function freePorts(): Promise<void> {
    const listeners = [...retired];
    retired.clear();
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  return { signIn, close: freePorts };
}
