import type { Secret } from '../core/base/secret.ts';
import type { RequestFacts } from './classify.ts';
import type { StepUpState } from './step-up.ts';
import type { Challenge } from '../core/oauth/model.ts';
import type { ServerRequest } from './model.ts';

/** What the server client remembers about one request while it sends it, once or several times. */
export interface RequestState {
  /** The server's URL, or the target of its redirect. */
  url: URL;
  /** The header that carries a fixed key. Undefined for an access token. A key has no scopes. */
  keyHeader: string | undefined;
  /** The token that the server rejected, and the challenge of that response. */
  rejected: Secret | undefined;
  challenge: Challenge | undefined;
  /** The server's explanation of that rejection: a sentence after a space, or ''. */
  errorText: string;
  /** The core already knows about the challenge. */
  challengeReported: boolean;
  readonly stepUp: StepUpState;
  /** The request was sent again after a lost connection. */
  reconnected: boolean;
  /** How often the request was sent again because the server was busy. */
  retries: number;
  /** How long the request has waited for a busy server, in ms. */
  waitedMs: number;
}

export const newRequestState = (url: URL): RequestState => ({
  url,
  keyHeader: undefined,
  rejected: undefined,
  challenge: undefined,
  errorText: '',
  challengeReported: false,
  stepUp: { tokenChecked: false, timesHeld: 0 },
  reconnected: false,
  retries: 0,
  waitedMs: 0,
});

/** What `classify` needs to know about the request. `newTokenPauseMs`: see `RequestFacts`. */
export const requestFacts = (
  { repeatable, persistent = false }: ServerRequest,
  state: RequestState,
  token: Secret | undefined,
  newTokenPauseMs: number | undefined,
): RequestFacts => ({
  credential: token ? (state.keyHeader === undefined ? 'token' : 'key') : 'none',
  newTokenPauseMs,
  renewed: state.rejected !== undefined,
  repeatable,
  persistent,
  retries: state.retries,
  waitedMs: state.waitedMs,
});
