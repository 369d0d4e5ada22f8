import type { Secret } from '../core/base/secret.ts';
import type { AttemptFacts } from './classify.ts';
import type { StepUpAttempt } from './step-up.ts';
import type { Challenge } from '../core/oauth/model.ts';
import type { ServerRequest } from './model.ts';

/** What one request has been through. */
export interface CallAttempt {
  /** Another one after a redirect. */
  url: URL;
  /** The token is a key, which is the whole value of this header. Scopes are not for it. */
  keyHeader: string | undefined;
  /** The token that got a 401, and what the server said then. */
  rejected: Secret | undefined;
  challenge: Challenge | undefined;
  /** What the server said in that 401, as a sentence; may be ''. */
  words: string;
  /** The core has been told of a 401. */
  asked: boolean;
  readonly access: StepUpAttempt;
  /** It was sent again after a lost connection. */
  reconnected: boolean;
  /** How often it was sent again because the server was busy. */
  repeats: number;
  /** In ms, because the server wanted it. */
  waited: number;
}

export const newCallAttempt = (home: URL): CallAttempt => ({
  url: home,
  keyHeader: undefined,
  rejected: undefined,
  challenge: undefined,
  words: '',
  asked: false,
  access: { looked: false, held: 0 },
  reconnected: false,
  repeats: 0,
  waited: 0,
});

export const attemptFacts = (
  { repeatable, persistent = false }: ServerRequest,
  turn: CallAttempt,
  token: Secret | undefined,
): Omit<AttemptFacts, 'newTokenPauseMs'> => ({
  credential: token ? (turn.keyHeader === undefined ? 'token' : 'key') : 'none',
  renewed: turn.rejected !== undefined,
  repeatable,
  persistent,
  repeats: turn.repeats,
  waitedMs: turn.waited,
});

export const tokenHeader = (token: Secret, { keyHeader }: CallAttempt): Record<string, string> =>
  keyHeader === undefined ? { authorization: `Bearer ${token.reveal()}` } : { [keyHeader]: token.reveal() };
