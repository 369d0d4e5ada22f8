import { describe, expect, it } from 'vitest';
import { AppError } from '../../../electron/core/base/errors.ts';
import {
  failureNow,
  initialState,
  next,
  replyIn,
  type Failure,
  type SourceEvent,
  type SourceState,
} from '../../../electron/core/oauth/tokens/source-state.ts';

const error = new AppError('E_SIGN_IN_AGAIN', 'ended');
const audience = new AppError('E_TOKEN_AUDIENCE', 'for another server');
const retrying: Failure = { kind: 'retrying', error, nextTry: { leftMs: () => 5 } };

/** Reaches a state by events alone. */
const reach = (...events: readonly SourceEvent[]): SourceState => events.reduce(next, initialState);
const started: SourceEvent = { kind: 'refresh_started' };
const signedIn: SourceEvent = { kind: 'signed_in', token: 'usable' };
const failed = (failure: Failure): SourceEvent => ({ kind: 'failed', failure });

const states = {
  idle: initialState,
  cached: reach(signedIn),
  refreshing: reach(signedIn, started),
  retrying: reach(signedIn, started, failed(retrying)),
  blocked: reach(signedIn, started, failed({ kind: 'blocked', error })),
  ended: reach(signedIn, started, { kind: 'ended', error }),
} as const;
type Kind = keyof typeof states;

const events = {
  refresh_started: started,
  refresh_dropped: { kind: 'refresh_dropped' },
  refreshed: { kind: 'refreshed' },
  'refreshed, for another audience': { kind: 'refreshed', withheld: audience },
  reread: { kind: 'reread' },
  absent: { kind: 'absent' },
  'failed, to be retried': failed(retrying),
  'failed, store blocked': failed({ kind: 'blocked', error }),
  ended: { kind: 'ended', error },
  not_stored: { kind: 'not_stored', error },
  expired: { kind: 'expired' },
  rejected: { kind: 'rejected' },
  rejected_for_good: { kind: 'rejected_for_good', error },
  moved: { kind: 'moved', error },
  accepted: { kind: 'accepted' },
  'audience_judged, for another': { kind: 'audience_judged', withheld: audience },
  'signed_in with a token': signedIn,
  'signed_in with a key': { kind: 'signed_in', token: 'none' },
  signed_out: { kind: 'signed_out' },
} as const satisfies Readonly<Record<string, SourceEvent>>;

/** Kind and token after each event, from the states idle, cached, refreshing, retrying, blocked and ended. */
const all = (one: string) => Array.from({ length: 6 }, () => one);
const unchanged = [
  'idle none',
  'cached usable',
  'refreshing usable',
  'retrying usable',
  'blocked usable',
  'ended none',
];
const only = (kind: Kind, result: string) =>
  unchanged.map((one, index) => (index === Object.keys(states).indexOf(kind) ? result : one));
const table: Readonly<Record<keyof typeof events, readonly string[]>> = {
  refresh_started: [
    'refreshing none',
    'refreshing usable',
    'refreshing usable',
    'refreshing usable',
    'refreshing usable',
    'refreshing none',
  ],
  refresh_dropped: only('refreshing', 'cached usable'),
  refreshed: only('refreshing', 'cached usable'),
  'refreshed, for another audience': only('refreshing', 'idle usable'),
  reread: only('refreshing', 'cached usable'),
  absent: only('refreshing', 'idle none'),
  'failed, to be retried': only('refreshing', 'retrying usable'),
  'failed, store blocked': only('refreshing', 'blocked usable'),
  ended: only('refreshing', 'ended none'),
  not_stored: unchanged,
  expired: ['idle none', 'idle spent', 'refreshing spent', 'retrying spent', 'blocked spent', 'ended none'],
  rejected: ['idle none', 'idle spent', 'refreshing spent', 'retrying spent', 'blocked spent', 'ended none'],
  rejected_for_good: ['ended none', 'ended spent', 'refreshing spent', 'ended spent', 'ended spent', 'ended none'],
  moved: ['ended none', 'ended none', 'refreshing none', 'ended none', 'ended none', 'ended none'],
  accepted: unchanged,
  'audience_judged, for another': [
    'idle none',
    'idle usable',
    'refreshing usable',
    'retrying usable',
    'blocked usable',
    'ended none',
  ],
  'signed_in with a token': all('cached usable'),
  'signed_in with a key': all('idle none'),
  signed_out: all('idle none'),
};

describe('the state of a token source', () => {
  it('can reach each kind by events', () => {
    for (const [kind, state] of Object.entries(states)) expect(state.kind).toBe(kind);
  });

  const rows = Object.entries(table).flatMap(([name, expected]) =>
    Object.keys(states).map((kind, at) => [kind, name, expected[at] ?? ''] as const),
  );
  it.each(rows)('goes from %s on "%s" to %s', (kind, name, expected) => {
    const after = next(states[kind as Kind], events[name as keyof typeof events]);
    expect(`${after.kind} ${after.token}`).toBe(expected);
  });

  it('ignores results of a refresh while none is running', () => {
    const results: readonly SourceEvent[] = [
      { kind: 'refreshed' },
      { kind: 'reread' },
      { kind: 'absent' },
      failed(retrying),
      { kind: 'ended', error },
      { kind: 'not_stored', error },
      { kind: 'refresh_dropped' },
    ];
    for (const state of Object.values(states))
      if (state.kind !== 'refreshing') for (const event of results) expect(next(state, event)).toBe(state);
  });

  it('forgets everything about the previous sign-in at a new one', () => {
    for (const state of Object.values(states)) expect(next(state, signedIn)).toEqual(states.cached);
  });

  it('keeps the last failure while the next refresh is running', () => {
    const state = next(states.retrying, started);
    expect(failureNow(state)).toBe(retrying);
    expect(failureNow(next(state, { kind: 'refreshed' }))).toBeUndefined();
  });

  it('has the failure "blocked" while a new token cannot be stored', () => {
    const state = next(states.refreshing, { kind: 'not_stored', error });
    expect([state.kind, failureNow(state)?.kind]).toEqual(['refreshing', 'blocked']);
  });

  it('ends a sign-in after a final refusal only when the access token expires', () => {
    const state = reach(signedIn, started, failed({ ...retrying, endsWithToken: error }));
    expect(failureNow(state)?.kind).toBe('retrying');
    expect(failureNow(next(state, { kind: 'expired' }))).toEqual({ kind: 'ended', error });
  });

  it('treats a rejected key as rejected until the server accepts it, even after it was read again', () => {
    const rejected = next(states.cached, { kind: 'rejected_for_good', error });
    const again = next(next(rejected, started), { kind: 'reread' });
    expect([again.token, failureNow(again)?.kind, again.onTrial]).toEqual(['usable', 'ended', true]);
    const accepted = next(again, { kind: 'accepted' });
    expect([accepted.kind, failureNow(accepted), accepted.onTrial]).toEqual(['cached', undefined, false]);
  });
});

describe('the reply to a waiting call', () => {
  const locked = new AppError('E_STORE_LOCKED', 'locked');
  const away = new AppError('E_STORE_UNAVAILABLE', 'away');
  const blockedBy = (cause: AppError) => reach(started, failed({ kind: 'blocked', error: cause }));
  it.each([
    ['the token, if one is usable', states.cached, true, 'token'],
    ['the token, while a refresh runs ahead of expiry', states.refreshing, true, 'token'],
    ['"anonymous", if no sign-in is stored', initialState, false, 'anonymous'],
    ['"wait", before the first refresh', initialState, true, 'wait'],
    ['"wait", while a refresh will be retried', reach(started, failed(retrying)), true, 'wait'],
    ['"wait", while the store is unavailable', blockedBy(away), true, 'wait'],
    [
      '"unavailable", if the store is locked, because only a person can unlock it',
      blockedBy(locked),
      true,
      'unavailable',
    ],
    ['the error, if the sign-in has ended', states.ended, true, { refused: error }],
    [
      'the error, if the token is for another server',
      next(states.cached, { kind: 'audience_judged', withheld: audience }),
      true,
      { refused: audience },
    ],
  ])('is %s', (_what, state, stored, expected) => {
    expect(replyIn(state, stored)).toEqual(expected);
  });
});
