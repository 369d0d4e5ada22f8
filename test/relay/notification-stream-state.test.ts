import { describe, expect, it } from 'vitest';
import {
  connecting,
  nextStreamState,
  type StreamEvent,
  type StreamState,
} from '../../electron/relay/notification-stream-state.ts';

const progress = { lastEventId: '7', retryMs: 300, failures: 2, fruitless: 3 };
const states = {
  connecting: { kind: 'connecting', ...progress },
  streaming: { kind: 'streaming', ...progress },
  waiting: { kind: 'waiting', delayMs: 1_000, ...progress },
  unsupported: { kind: 'unsupported' },
  stopped: { kind: 'stopped' },
} as const satisfies Record<string, StreamState>;
type StateName = keyof typeof states;

const random = 0;
const events = {
  opened: { type: 'opened' },
  'refused with 404': { type: 'refused', status: 404, random },
  'refused with 405': { type: 'refused', status: 405, random },
  'refused with 503': { type: 'refused', status: 503, random },
  bytes: { type: 'bytes' },
  message: { type: 'message' },
  position: { type: 'position', lastEventId: '8', retryMs: undefined },
  'ended early': { type: 'ended', lasted: false, random },
  'ended late': { type: 'ended', lasted: true, random },
  'ended by a lost connection': { type: 'ended', code: 'E_CONNECTION_LOST', lasted: false, random },
  'ended by a missing sign-in': { type: 'ended', code: 'E_SIGN_IN_NEEDED', lasted: false, random },
  retry: { type: 'retry' },
  stopped: { type: 'stopped' },
} as const satisfies Record<string, StreamEvent>;
type EventName = keyof typeof events;

const waiting = (delayMs: number, fruitless: number = progress.fruitless): StreamState => ({
  kind: 'waiting',
  ...progress,
  failures: 3,
  fruitless,
  delayMs,
});

/** Every transition that changes something. All others leave the state as it is. */
const transitions: Partial<Record<StateName, Partial<Record<EventName, StreamState>>>> = {
  connecting: {
    opened: states.streaming,
    'refused with 404': waiting(120_000),
    'refused with 405': states.unsupported,
    'refused with 503': waiting(2_000),
    'ended early': waiting(2_000),
    'ended late': waiting(2_000),
    'ended by a lost connection': waiting(2_000),
    'ended by a missing sign-in': waiting(20_000),
    stopped: states.stopped,
  },
  streaming: {
    bytes: { ...states.streaming, failures: 0 },
    message: { ...states.streaming, fruitless: 0 },
    position: { ...states.streaming, lastEventId: '8' },
    'ended early': waiting(2_000, 4),
    'ended late': waiting(2_000, 0),
    'ended by a lost connection': waiting(2_000, 4),
    'ended by a missing sign-in': waiting(20_000, 4),
    stopped: states.stopped,
  },
  waiting: { retry: states.connecting, stopped: states.stopped },
};

const names = <Name extends string>(of: Record<Name, unknown>) => Object.keys(of) as Name[];
const rows = names(states).flatMap((state) => names(events).map((event) => [state, event] as const));

describe('the state of the notification stream', () => {
  it.each(rows)('changes as the table says when it is %s and the event is %s', (state, event) => {
    expect(nextStreamState(states[state], events[event])).toEqual(transitions[state]?.[event] ?? states[state]);
  });

  const afterEnds = (times: number): StreamState => {
    let state = connecting;
    for (let n = 0; n < times; n += 1)
      for (const event of [events.retry, events.opened, events.bytes, events['ended early']])
        state = nextStreamState(state, event);
    return state;
  };

  it.each([
    [1, 500],
    [4, 2_000],
    [9, 60_000],
    [499, 60_000],
    [500, 86_400_000],
  ])('after %i connections without a message it waits %i ms', (times, delayMs) => {
    expect(afterEnds(times)).toMatchObject({ kind: 'waiting', delayMs });
  });

  it('never waits longer than 15 minutes after a status that refuses the stream', () => {
    const state = { ...states.connecting, failures: 40 };
    expect(nextStreamState(state, events['refused with 404'])).toMatchObject({ delayMs: 900_000 });
  });

  it('waits as long as the server asks for, and a tenth longer at most', () => {
    const state: StreamState = { ...states.streaming, retryMs: 30_000 };
    const delays = [0, 1].map((spread) => {
      const next = nextStreamState(state, { ...events['ended late'], random: spread });
      return next.kind === 'waiting' ? next.delayMs : undefined;
    });
    expect(delays).toEqual([30_000, 33_000]);
  });
});
