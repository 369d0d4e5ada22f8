import type { AppError } from '../../base/errors.ts';
import type { Deadline } from '../../base/clock.ts';

/** Why the last refresh returned no token. */
export type Failure =
  /** `endsWithToken`: the refusal counts as final, and the sign-in ends when the access token does. */
  | {
      readonly kind: 'retrying';
      readonly error: AppError;
      readonly nextTry: Pick<Deadline, 'leftMs'>;
      readonly endsWithToken?: AppError;
    }
  /** The store of secrets cannot be used. */
  | { readonly kind: 'blocked'; readonly error: AppError }
  /** A user has to act. */
  | { readonly kind: 'ended'; readonly error: AppError };

/** The state of one credential's tokens. Timers, requests and the token itself are outside (source-core.ts). */
export interface SourceState {
  readonly kind: 'idle' | 'cached' | 'refreshing' | 'retrying' | 'blocked' | 'ended';
  /** The access token in memory. `spent`: expired or rejected. */
  readonly token: 'none' | 'usable' | 'spent';
  /** Why the token in memory must not be sent to its server. */
  readonly withheld?: AppError | undefined;
  /** Of the last refresh; kept while the next one runs. */
  readonly failure?: Failure | undefined;
  /** A token that cannot be renewed was rejected: it is tried again, and counts as rejected until it is accepted. */
  readonly onTrial: boolean;
  /** The user has signed out, whatever the store still holds. */
  readonly signedOut: boolean;
}

/** Results of the running refresh. */
type RefreshEvent =
  /** The result was discarded. */
  | { readonly kind: 'refresh_dropped' }
  | { readonly kind: 'refreshed'; readonly withheld?: AppError | undefined }
  /** There is no refresh token: the stored access token or the user's key was read again. */
  | { readonly kind: 'reread'; readonly withheld?: AppError | undefined }
  /** Nothing is stored. */
  | { readonly kind: 'absent' }
  /** No new token; the one in memory is used until it expires. */
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** A user has to act, and the token in memory is not used any more. */
  | { readonly kind: 'ended'; readonly error: AppError }
  /** There is a new token that cannot be stored yet; the refresh continues. */
  | { readonly kind: 'not_stored'; readonly error: AppError };

export type SourceEvent =
  | RefreshEvent
  | { readonly kind: 'refresh_started' }
  | { readonly kind: 'expired' }
  /** A 401 for the token in memory; a refresh may help. */
  | { readonly kind: 'rejected' }
  /** A 401 for a token that cannot be renewed. */
  | { readonly kind: 'rejected_for_good'; readonly error: AppError }
  /** The MCP server now uses another authorization server. */
  | { readonly kind: 'moved'; readonly error: AppError }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'audience_judged'; readonly withheld?: AppError | undefined }
  /** `token: 'none'`: the token is read when it is needed. */
  | { readonly kind: 'signed_in'; readonly token: 'none' | 'usable'; readonly withheld?: AppError | undefined }
  | { readonly kind: 'signed_out' };

export const initialState: SourceState = { kind: 'idle', token: 'none', onTrial: false, signedOut: false };

/** The state after an event. Results of a refresh are ignored while none is running. */
export function next(state: SourceState, event: SourceEvent): SourceState {
  const refreshing = state.kind === 'refreshing';
  const changed = (change: Partial<SourceState>) => withKind({ ...state, ...change }, refreshing);
  if (isRefreshEvent(event)) return refreshing ? afterRefresh(state, event) : state;
  switch (event.kind) {
    case 'refresh_started':
      return withKind(state, true);
    case 'expired':
    case 'rejected':
      return state.token === 'usable' ? changed({ token: 'spent' }) : state;
    case 'rejected_for_good': {
      const token = state.token === 'none' ? 'none' : 'spent';
      return changed({ token, onTrial: true, failure: { kind: 'ended', error: event.error } });
    }
    case 'moved':
      return changed({ ...noToken, failure: { kind: 'ended', error: event.error } });
    case 'accepted':
      return state.onTrial ? changed(recovered) : state;
    case 'audience_judged':
      return changed({ withheld: event.withheld });
    case 'signed_in':
      return withKind({ ...initialState, token: event.token, withheld: event.withheld }, false);
    case 'signed_out':
      return { ...initialState, signedOut: true };
  }
}

const refreshEvents: Readonly<Record<RefreshEvent['kind'], true>> = {
  refresh_dropped: true,
  refreshed: true,
  reread: true,
  absent: true,
  failed: true,
  ended: true,
  not_stored: true,
};
const isRefreshEvent = (event: SourceEvent): event is RefreshEvent => event.kind in refreshEvents;

function afterRefresh(state: SourceState, event: RefreshEvent): SourceState {
  const settled = (change: Partial<SourceState>) => withKind({ ...state, ...change }, false);
  switch (event.kind) {
    case 'refresh_dropped':
      return settled({});
    case 'refreshed':
      return settled({ token: 'usable', withheld: event.withheld, ...recovered });
    case 'reread': {
      // Reading a rejected token again does not make it valid; only the server's acceptance does.
      const change = { token: 'usable', withheld: event.withheld } as const;
      return settled(state.onTrial ? change : { ...change, ...recovered });
    }
    case 'absent':
      return settled({ ...noToken, ...recovered });
    case 'failed':
      return settled({ failure: event.failure });
    case 'ended':
      return settled({ ...noToken, failure: { kind: 'ended', error: event.error } });
    case 'not_stored':
      return withKind({ ...state, failure: { kind: 'blocked', error: event.error } }, true);
  }
}

const recovered = { failure: undefined, onTrial: false } as const;
const noToken = { token: 'none', withheld: undefined } as const;

function withKind(state: SourceState, refreshing: boolean): SourceState {
  const settled = state.failure?.kind ?? (isUsable(state) ? 'cached' : 'idle');
  return { ...state, kind: refreshing ? 'refreshing' : settled };
}

/** Whether the token in memory may be sent. */
export const isUsable = ({ token, withheld }: Pick<SourceState, 'token' | 'withheld'>): boolean =>
  token === 'usable' && withheld === undefined;

/** The failure now: once the access token has expired, a final refusal means that a user has to act. */
export function failureNow({ failure, token }: Pick<SourceState, 'failure' | 'token'>): Failure | undefined {
  if (failure?.kind !== 'retrying' || !failure.endsWithToken || token === 'usable') return failure;
  return { kind: 'ended', error: failure.endsWithToken };
}

/** What a waiting call gets in a state; `wait`: nothing yet. `stored`: whether a sign-in exists. */
export function replyIn(
  state: SourceState,
  stored: boolean,
): 'token' | 'anonymous' | 'wait' | 'unavailable' | { readonly refused: AppError } {
  if (state.withheld) return { refused: state.withheld };
  if (isUsable(state)) return 'token';
  if (!stored) return 'anonymous';
  const failure = failureNow(state);
  if (state.kind === 'refreshing' || !failure) return 'wait';
  if (failure.kind === 'ended') return { refused: failure.error };
  // A locked store needs a user, so the call does not wait for it.
  return failure.kind === 'blocked' && failure.error.code !== 'E_STORE_UNAVAILABLE' ? 'unavailable' : 'wait';
}
