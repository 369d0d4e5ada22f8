import { describe, expect, it } from 'vitest';
import {
  brokerDown,
  farewellMs,
  keepsRequest,
  nextState,
  startingAt,
  type ReconnectEvent,
  type ReconnectState,
} from '../../electron/bridge/reconnect-state.ts';
import type { Refusal } from '../../electron/local-socket/refusal.ts';

const refusalOf = (code: Refusal['code']): Refusal => ({ code, message: 'No.', remedy: 'Do this.' });
const unknownServer = refusalOf('E_SERVER_UNKNOWN');
const handshakeFailed = refusalOf('E_HANDSHAKE');
const notRunning = brokerDown('Keybridge is not running.');

/** Without a broker since 1,000; the last attempt ended at 1,500; every event happens at 2,000. */
const nowMs = 2_000;
const start = startingAt(1_000);
if (start.kind !== 'connecting') throw new Error('The bridge does not begin by connecting.');
const { kind: _, ...first } = { ...start, triedAtMs: 1_500 };
const refusedOnce = { ...first, refusals: 1, refusal: unknownServer };

const states = {
  connecting: { ...first, kind: 'connecting' },
  starting: { ...first, kind: 'starting' },
  waiting: { ...first, kind: 'waiting', delayMs: 100 },
  refused: { ...refusedOnce, kind: 'refused', delayMs: 1_000 },
  connected: { ...first, kind: 'connected', wasConnected: true },
  closed: { kind: 'closed', exitCode: 0, flushMs: 150 },
} as const satisfies Record<string, ReconnectState>;
type StateName = keyof typeof states;

const launch = { type: 'launch_attempted', hopeless: false, outcome: 'Keybridge is not running.', nowMs } as const;
const events = {
  connected: { type: 'connected', nowMs },
  disconnected: { type: 'disconnected', nowMs },
  'broker down': { type: 'broker_down', nowMs },
  'unknown server': { type: 'broker_refused', error: unknownServer, nowMs },
  'failed handshake': { type: 'broker_refused', error: handshakeFailed, nowMs },
  'turn to start the app': { ...launch, result: 'connect_again' },
  'app started': { ...launch, result: 'wait' },
  retry: { type: 'retry', nowMs },
  'host left while idle': { type: 'host_left', idle: true, nowMs },
  'host left with pending requests': { type: 'host_left', idle: false, nowMs },
  idle: { type: 'idle', nowMs },
  'farewell over': { type: 'farewell_over', unsent: 0, nowMs },
  'farewell over with unsent requests': { type: 'farewell_over', unsent: 2, nowMs },
  'host gone': { type: 'host_gone', nowMs },
} as const satisfies Record<string, ReconnectEvent>;
type EventName = keyof typeof events;

const closed = (exitCode: number, flushMs = 150): ReconnectState => ({ kind: 'closed', exitCode, flushMs });
const tried = { ...first, triedAtMs: nowMs };

/** The same in every state but `closed`; `exitCode` is that of the last refusal. */
const hostEvents = (state: Exclude<ReconnectState, { kind: 'closed' }>, exitCode: number) => ({
  'host left while idle': closed(exitCode, 950),
  'host left with pending requests': { ...state, hostLeftAtMs: nowMs },
  'farewell over': closed(exitCode),
  'farewell over with unsent requests': closed(exitCode === 0 ? 1 : exitCode),
  'host gone': closed(0),
});

/** Every transition that changes something. All others leave the state as it is. */
const transitions: Partial<Record<StateName, Partial<Record<EventName, ReconnectState>>>> = {
  connecting: {
    ...hostEvents(states.connecting, 0),
    connected: { ...tried, kind: 'connected', wasConnected: true },
    'broker down': { ...tried, kind: 'starting' },
    'unknown server': { ...tried, kind: 'refused', refusals: 1, refusal: unknownServer, delayMs: 1_000 },
    'failed handshake': { ...tried, kind: 'waiting', failedHandshakes: 1, delayMs: 100 },
  },
  starting: {
    ...hostEvents(states.starting, 0),
    'turn to start the app': states.connecting,
    'app started': states.waiting,
  },
  waiting: { ...hostEvents(states.waiting, 0), retry: states.connecting },
  refused: { ...hostEvents(states.refused, 2), retry: { ...refusedOnce, kind: 'connecting' } },
  connected: {
    ...hostEvents(states.connected, 0),
    disconnected: { ...first, kind: 'connecting', wasConnected: true, withoutBrokerSinceMs: nowMs },
  },
};

const names = <Name extends string>(of: Record<Name, unknown>) => Object.keys(of) as Name[];
const rows = names(states).flatMap((state) => names(events).map((event) => [state, event] as const));

describe('the state of the bridge', () => {
  it.each(rows)('changes as the table says when it is %s and the event is: %s', (state, event) => {
    expect(nextState(states[state], events[event])).toEqual(transitions[state]?.[event] ?? states[state]);
  });
});

describe('the patience of the bridge without a broker', () => {
  const attempt = { ...launch, result: 'wait' } as const;

  it.each([
    [false, 10_999, 'waiting'],
    [false, 11_000, 'refused'],
    [true, 4_999, 'waiting'],
    [true, 5_000, 'refused'],
  ])('leads (hopeless: %s) at %i ms to the state %s', (hopeless, atMs, kind) => {
    expect(nextState(states.starting, { ...attempt, hopeless, nowMs: atMs })).toMatchObject({ kind });
  });

  it('ends after 10 s when a broker was there before, without starting the app again', () => {
    const reconnecting = { ...states.connecting, wasConnected: true };
    const down = (atMs: number) => nextState(reconnecting, { type: 'broker_down', nowMs: atMs });
    expect(down(10_999)).toMatchObject({ kind: 'waiting', delayMs: 250 });
    expect(down(11_000)).toMatchObject({
      kind: 'refused',
      refusal: brokerDown('Keybridge is not running any more.'),
      delayMs: 1_000,
    });
  });

  it('ends at once when requests are already refused', () => {
    const state = { ...states.starting, refusals: 1, refusal: unknownServer };
    expect(nextState(state, attempt)).toMatchObject({ kind: 'refused', refusals: 2, refusal: notRunning });
  });

  it('starts again when a connection is lost', () => {
    const lost = nextState(states.connected, { type: 'disconnected', nowMs: 50_000 });
    expect(nextState(lost, { type: 'broker_down', nowMs: 59_999 })).toMatchObject({ kind: 'waiting' });
  });
});

describe('the refusals of the bridge', () => {
  it('are followed by attempts after 1, 2, 3 and then every 4 seconds', () => {
    let state: ReconnectState = states.connecting;
    const delays = Array.from({ length: 6 }, () => {
      state = nextState(state, events['unknown server']);
      const delay = state.kind === 'refused' ? state.delayMs : undefined;
      state = nextState(state, events.retry);
      return delay;
    });
    expect(delays).toEqual([1_000, 2_000, 3_000, 4_000, 4_000, 4_000]);
  });

  it('include a failed handshake only if two have failed since the last connection', () => {
    const after = (...sequence: ReconnectEvent[]) => sequence.reduce<ReconnectState>(nextState, states.connecting);
    const { connected, disconnected, retry, 'failed handshake': failed } = events;
    expect(after(failed, retry, failed)).toMatchObject({ kind: 'refused', refusal: handshakeFailed });
    expect(after(failed, retry, connected, disconnected, failed)).toMatchObject({ kind: 'waiting' });
  });

  it('keep the last error during the wait after a failed handshake', () => {
    const retrying = nextState(states.refused, events.retry);
    expect(nextState(retrying, events['failed handshake'])).toMatchObject({ kind: 'waiting', refusal: unknownServer });
  });

  it('end with the next connection', () => {
    const retrying = nextState(states.refused, events.retry);
    expect(nextState(retrying, events.connected)).toMatchObject({ kind: 'connected', refusals: 0, refusal: undefined });
  });

  it.each<[StateName, number, boolean]>([
    ['connecting', 1_500, true],
    ['refused', 1_749, false],
    ['refused', 1_750, true],
    ['waiting', 1_749, false],
    ['starting', 1_750, true],
    ['closed', 9_999, false],
  ])('hold a request back when an attempt runs or is due (%s, %i ms: %s)', (state, atMs, isKept) => {
    expect(keepsRequest(states[state], atMs)).toBe(isKept);
  });
});

describe('the end of the bridge', () => {
  it.each([
    ['E_SERVER_UNKNOWN', 2],
    ['E_ACCOUNT_UNKNOWN', 2],
    ['E_HANDSHAKE', 1],
    ['E_BROKER_DOWN', 1],
    [undefined, 0],
  ] as const)('after %s the exit code is %s', (code, exitCode) => {
    const state = { ...states.connecting, refusal: code && refusalOf(code) };
    expect(nextState(state, events['host left while idle'])).toEqual(closed(exitCode, 950));
  });

  it('SI04: follows the last response once the host has left, within 950 ms', () => {
    const left = nextState(states.connected, events['host left with pending requests']);
    expect(nextState(left, { type: 'idle', nowMs: nowMs + 300 })).toEqual(closed(0, 650));
  });

  it('SI04: gives up pending requests 800 ms after the host has left, and writes the errors within 150 ms', () => {
    const left = nextState(states.connected, events['host left with pending requests']);
    const over = { type: 'farewell_over', unsent: 0, nowMs: nowMs + farewellMs } as const;
    expect(nextState(left, over)).toEqual(closed(0, 150));
    expect(farewellMs).toBe(800);
  });

  it('is not delayed by a second end of stdin', () => {
    const left = nextState(states.connected, events['host left with pending requests']);
    expect(nextState(left, { type: 'host_left', idle: false, nowMs: nowMs + 100 })).toBe(left);
  });
});
