import { defined } from '../../shared/defined.ts';
import type { Connection } from '../core/app/connections.ts';
import { AppError } from '../core/base/errors.ts';
import type { Secret } from '../core/base/secret.ts';
import type { Challenge } from '../core/oauth/model.ts';
import type { ServerRequest } from './model.ts';
import type { RequestState } from './request-state.ts';

/** The token or key of each request, and the sign-in that a 401 may start. */
export interface RequestTokens {
  /**
   * Resolves with the token or key for the next attempt, and notes in `state` how it is sent; undefined when the server
   * needs none. Waits for a sign-in if the last one has ended and the core may start another. Throws the core's errors,
   * e.g. E_SIGN_IN_AGAIN.
   */
  acquire(request: ServerRequest, state: RequestState): Promise<Secret | undefined>;
  /** The token that a new request would be sent with. */
  current(signal: AbortSignal | undefined): Promise<Secret | undefined>;
  /**
   * Handles a 401 to a request without a token. Resolves when a sign-in may have taken place; otherwise throws
   * E_SIGN_IN_NEEDED.
   */
  signIn(challenge: Challenge | undefined, request: ServerRequest, state: RequestState): Promise<void>;
}

export function createRequestTokens(connection: Connection): RequestTokens {
  const server = connection.server.name;

  async function tokenFor(request: ServerRequest, state: RequestState): Promise<Secret | undefined> {
    const { signal, tokenWaitMs: waitMs } = request;
    const result = await connection.accessToken(defined({ rejected: state.rejected, signal, waitMs }));
    state.keyHeader = result.kind === 'token' ? result.header : undefined;
    return tokenOf(result);
  }

  const tokenOf = (result: Awaited<ReturnType<Connection['accessToken']>>): Secret | undefined => {
    if (result.kind === 'token') return result.token;
    if (result.kind === 'anonymous') return undefined;
    throw result.error.about(server);
  };

  /** Throws `error`, unless the core may start a sign-in; then the token of that. */
  async function afterSignIn(error: unknown, request: ServerRequest, state: RequestState): Promise<Secret | undefined> {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'E_SERVER_REFUSED')
      throw new AppError(error.code, `${error.message}${state.errorText}`, { server, cause: error });
    if (error.code !== 'E_SIGN_IN_AGAIN' || request.onChallenge !== 'wait' || state.challengeReported) throw error;
    state.challengeReported = true;
    if ((await connection.challenged(401, state.challenge)) === 'refused') throw error;
    state.rejected = undefined;
    return tokenFor(request, state);
  }

  return {
    acquire: (request, state) => tokenFor(request, state).catch((error: unknown) => afterSignIn(error, request, state)),
    current: async (signal) => tokenOf(await connection.accessToken(defined({ signal }))),
    async signIn(challenge, { onChallenge }, state) {
      const isReported = state.challengeReported || onChallenge === 'ignore';
      const result = isReported ? 'refused' : connection.challenged(401, challenge);
      if (onChallenge === 'report' || (await result) === 'refused')
        throw new AppError('E_SIGN_IN_NEEDED', 'The server asks for a sign-in.', { server });
      state.challengeReported = true;
    },
  };
}
