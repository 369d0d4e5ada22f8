import { refusal, type Refusal } from '../local-socket/refusal.ts';

/** What is remembered from one connection attempt to the next. Times are monotonic, in ms. */
interface Progress {
  /** A broker has accepted this bridge before. When it is gone, the app is not started again. */
  readonly wasConnected: boolean;
  /** Since when there has been no broker. */
  readonly withoutBrokerSinceMs: number;
  /** When the last connection attempt ended. */
  readonly triedAtMs: number;
  /** Failed handshakes since the last connection. */
  readonly failedHandshakes: number;
  /** Refusals since the last connection. */
  readonly refusals: number;
  /** The error that the host's requests get; undefined while they are kept for the next connection. */
  readonly refusal: Refusal | undefined;
  /** When the host closed stdin. From then on the bridge only finishes what is pending. */
  readonly hostLeftAtMs: number | undefined;
}

/** The connection of the bridge. The comments say what reconnect.ts does when it enters each state. */
export type ReconnectState =
  /** Makes one connection attempt. */
  | (Progress & { readonly kind: 'connecting' })
  /** Nobody listens: starts the app, unless another bridge does. */
  | (Progress & { readonly kind: 'starting' })
  /** Tries again after the delay. The host's requests are kept, or still get the last error. */
  | (Progress & { readonly kind: 'waiting'; readonly delayMs: number })
  /** Answers the host's requests with the error, and tries again after the delay. */
  | (Progress & { readonly kind: 'refused'; readonly refusal: Refusal; readonly delayMs: number })
  /** Passes messages until the connection closes. */
  | (Progress & { readonly kind: 'connected' })
  /** Writes what is left within `flushMs`, and ends with the exit code. Final. */
  | { readonly kind: 'closed'; readonly exitCode: number; readonly flushMs: number };

type HostEvent =
  /** stdin has ended. `idle`: no request is pending. */
  | { readonly type: 'host_left'; readonly idle: boolean }
  /** The last pending request has been answered. */
  | { readonly type: 'idle' }
  /** `farewellMs` after `host_left`. `unsent`: how many requests never reached a broker. */
  | { readonly type: 'farewell_over'; readonly unsent: number }
  /** Nobody reads stdout, or the host's process has ended. */
  | { readonly type: 'host_gone' };

type ConnectionEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected' }
  /** Nobody listens on the socket. */
  | { readonly type: 'broker_down' }
  /** The broker refused the bridge, or its socket cannot be trusted. */
  | { readonly type: 'broker_refused'; readonly error: Refusal }
  /** `hopeless`: as far as the bridge knows, the app cannot be started. `outcome`: what happened, as a sentence. */
  | {
      readonly type: 'launch_attempted';
      readonly result: 'connect_again' | 'wait';
      readonly hopeless: boolean;
      readonly outcome: string;
    }
  /** The delay is over, or the host has sent a request that would be refused. */
  | { readonly type: 'retry' };

export type ReconnectEvent = { readonly nowMs: number } & (HostEvent | ConnectionEvent);

/** How long the host's requests are kept without a broker: while one may come, and when nothing will start one. */
const patienceMs = 10_000;
const hopelessPatienceMs = 4_000;
/** Delay between attempts while requests are kept: at the start, and after a lost connection. */
const startDelayMs = 100;
const reconnectDelayMs = 250;
/**
 * Delay after a refusal: grows by the first with each one, up to the second. A host must reach a restarted app within
 * 5 s.
 */
const refusedDelayMs = 1_000;
const longestRefusedDelayMs = 4_000;
/** A request that would be refused makes the bridge try again only when the last attempt is at least this old. */
const retryIntervalMs = 250;
/** From the end of stdin until pending requests are given up. */
export const farewellMs = 800;
/** From the end of stdin until the end of the process, whatever the host reads. */
const endMs = 950;
const shortestFlushMs = 150;

export const brokerDown = (message: string): Refusal => refusal('E_BROKER_DOWN', message);

export const startingAt = (nowMs: number): ReconnectState => ({
  kind: 'connecting',
  wasConnected: false,
  withoutBrokerSinceMs: nowMs,
  triedAtMs: nowMs,
  failedHandshakes: 0,
  refusals: 0,
  refusal: undefined,
  hostLeftAtMs: undefined,
});

/** The state after the event. An event that does not belong to the state changes nothing. */
export function nextState(state: ReconnectState, event: ReconnectEvent): ReconnectState {
  if (state.kind === 'closed') return state;
  return isHostEvent(event) ? afterHostEvent(state, event) : afterConnectionEvent(state, event);
}

type OpenState = Exclude<ReconnectState, { kind: 'closed' }>;
type Timed<Event> = Event & { readonly nowMs: number };

const hostEvents: Readonly<Record<HostEvent['type'], true>> = {
  host_left: true,
  idle: true,
  farewell_over: true,
  host_gone: true,
};
const isHostEvent = (event: ReconnectEvent): event is Timed<HostEvent> => event.type in hostEvents;

function afterHostEvent(state: OpenState, event: Timed<HostEvent>): ReconnectState {
  switch (event.type) {
    case 'host_left': {
      if (state.hostLeftAtMs !== undefined) return state;
      const left = { ...state, hostLeftAtMs: event.nowMs };
      return event.idle ? closed(left, exitCodeOf(state), event.nowMs) : left;
    }
    case 'idle':
      return state.hostLeftAtMs === undefined ? state : closed(state, exitCodeOf(state), event.nowMs);
    case 'farewell_over':
      return closed(state, event.unsent > 0 && !state.refusal ? 1 : exitCodeOf(state), event.nowMs);
    case 'host_gone':
      return closed(state, 0, event.nowMs);
  }
}

function afterConnectionEvent(state: OpenState, event: Timed<ConnectionEvent>): ReconnectState {
  switch (state.kind) {
    case 'connecting':
      return afterAttempt({ ...progressOf(state), triedAtMs: event.nowMs }, event) ?? state;
    case 'starting':
      if (event.type !== 'launch_attempted') return state;
      return event.result === 'connect_again'
        ? { ...progressOf(state), kind: 'connecting' }
        : withoutBroker(state, event.nowMs, event);
    case 'waiting':
    case 'refused':
      return event.type === 'retry' ? { ...progressOf(state), kind: 'connecting' } : state;
    case 'connected':
      return event.type === 'disconnected'
        ? { ...progressOf(state), kind: 'connecting', withoutBrokerSinceMs: event.nowMs }
        : state;
  }
}

/** Returns undefined if the event is not the result of a connection attempt. */
function afterAttempt(progress: Progress, event: Timed<ConnectionEvent>): ReconnectState | undefined {
  switch (event.type) {
    case 'connected':
      return {
        ...progress,
        kind: 'connected',
        wasConnected: true,
        failedHandshakes: 0,
        refusals: 0,
        refusal: undefined,
      };
    case 'broker_down':
      return progress.wasConnected ? withoutBroker(progress, event.nowMs) : { ...progress, kind: 'starting' };
    case 'broker_refused': {
      const failedHandshakes = progress.failedHandshakes + (event.error.code === 'E_HANDSHAKE' ? 1 : 0);
      const next = { ...progress, failedHandshakes };
      // A machine under load may miss the deadline of the handshake once.
      return event.error.code === 'E_HANDSHAKE' && failedHandshakes < 2 ? waiting(next) : refused(next, event.error);
    }
    case 'disconnected':
    case 'launch_attempted':
    case 'retry':
      return undefined;
  }
}

/** `launch`: the result of the attempt to start the app, if there was one. */
function withoutBroker(
  progress: Progress,
  nowMs: number,
  launch?: { readonly hopeless: boolean; readonly outcome: string },
): ReconnectState {
  const patience = launch?.hopeless ? hopelessPatienceMs : patienceMs;
  if (!progress.refusal && nowMs - progress.withoutBrokerSinceMs < patience) return waiting(progress);
  return refused(progress, brokerDown(launch?.outcome ?? 'Keybridge is not running any more.'));
}

const waiting = (progress: Progress): ReconnectState => ({
  ...progressOf(progress),
  kind: 'waiting',
  delayMs: progress.wasConnected ? reconnectDelayMs : startDelayMs,
});

function refused(progress: Progress, error: Refusal): ReconnectState {
  const refusals = progress.refusals + 1;
  const delayMs = Math.min(longestRefusedDelayMs, refusedDelayMs * refusals);
  return { ...progressOf(progress), kind: 'refused', refusals, refusal: error, delayMs };
}

function closed({ hostLeftAtMs }: Progress, exitCode: number, nowMs: number): ReconnectState {
  const leftMs = hostLeftAtMs === undefined ? 0 : hostLeftAtMs + endMs - nowMs;
  return { kind: 'closed', exitCode, flushMs: Math.max(shortestFlushMs, leftMs) };
}

function exitCodeOf({ refusal }: Progress): number {
  if (!refusal) return 0;
  return refusal.code === 'E_SERVER_UNKNOWN' || refusal.code === 'E_ACCOUNT_UNKNOWN' ? 2 : 1;
}

/** Whether a request that would be refused is kept until the next connection attempt has ended. */
export const keepsRequest = (state: ReconnectState, nowMs: number): boolean =>
  state.kind !== 'closed' && (state.kind === 'connecting' || nowMs - state.triedAtMs >= retryIntervalMs);

const progressOf = ({
  wasConnected,
  withoutBrokerSinceMs,
  triedAtMs,
  failedHandshakes,
  refusals,
  refusal,
  hostLeftAtMs,
}: Progress): Progress => ({
  wasConnected,
  withoutBrokerSinceMs,
  triedAtMs,
  failedHandshakes,
  refusals,
  refusal,
  hostLeftAtMs,
});
