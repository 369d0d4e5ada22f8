import type { ErrorCode } from '../../shared/errors.ts';
import { delayAfterMs, needsAttention, retryDelayMs } from './retry-policy.ts';
import { reopenDelayMs } from './stream-resumption.ts';

/** What the notification stream of one session carries over from one connection to the next. */
interface StreamProgress {
  /** Where the next connection resumes. */
  readonly lastEventId: string | undefined;
  /** The server's `retry`, in ms. */
  readonly retryMs: number | undefined;
  /** Connections in a row on which nothing arrived, refusals included. */
  readonly failures: number;
  /** Connections in a row that brought no message and did not last. */
  readonly fruitless: number;
}

/** The notification stream of one session. */
export type StreamState =
  | (StreamProgress & { readonly kind: 'connecting' })
  | (StreamProgress & { readonly kind: 'streaming' })
  | (StreamProgress & { readonly kind: 'waiting'; readonly delayMs: number })
  /** The server offers no stream (405). Final. */
  | { readonly kind: 'unsupported' }
  /** Final. */
  | { readonly kind: 'stopped' };

/** `random`, from 0 to 1, spreads the reconnections of many hosts. */
export type StreamEvent =
  | { readonly type: 'opened' }
  /** The response is not an event stream, or its status is not 200. */
  | { readonly type: 'refused'; readonly status: number; readonly random: number }
  | { readonly type: 'bytes' }
  /** A message was passed to the host. */
  | { readonly type: 'message' }
  /** From the parser, after each chunk. */
  | { readonly type: 'position'; readonly lastEventId: string | undefined; readonly retryMs: number | undefined }
  /** The connection ended; `code` is absent if the server closed it. `lasted`: it was open for a while. */
  | { readonly type: 'ended'; readonly code?: ErrorCode; readonly lasted: boolean; readonly random: number }
  /** The delay is over, or there is a reason to try now. */
  | { readonly type: 'retry' }
  | { readonly type: 'stopped' };

/** Longest delay after a status that refuses the stream. A server may start to offer it. */
const longestRefusedMs = 15 * 60_000;
/** Delay after hundreds of fruitless connections. */
const fruitlessDelayMs = 24 * 60 * 60_000;
/** Longest delay for a server that closes each stream immediately. */
const longestReopenMs = 60_000;

export const connecting: StreamState = {
  kind: 'connecting',
  lastEventId: undefined,
  retryMs: undefined,
  failures: 0,
  fruitless: 0,
};

/** Returns the next state. An event that does not fit the state changes nothing. */
export function nextStreamState(state: StreamState, event: StreamEvent): StreamState {
  if (state.kind === 'unsupported' || state.kind === 'stopped') return state;
  if (event.type === 'stopped') return { kind: 'stopped' };
  switch (state.kind) {
    case 'connecting':
      if (event.type === 'opened') return { ...state, kind: 'streaming' };
      if (event.type === 'refused') return afterRefusal(state, event.status, event.random);
      return event.type === 'ended' ? afterEnd(state, event.code, event.random) : state;
    case 'streaming':
      return whileStreaming(state, event);
    case 'waiting':
      return event.type === 'retry' ? { ...progressOf(state), kind: 'connecting' } : state;
  }
}

function whileStreaming(state: StreamProgress & { readonly kind: 'streaming' }, event: StreamEvent): StreamState {
  switch (event.type) {
    case 'bytes':
      return state.failures === 0 ? state : { ...state, failures: 0 };
    case 'message':
      return state.fruitless === 0 ? state : { ...state, fruitless: 0 };
    case 'position':
      return { ...state, lastEventId: event.lastEventId ?? state.lastEventId, retryMs: event.retryMs ?? state.retryMs };
    case 'ended':
      return afterEnd({ ...state, fruitless: event.lasted ? 0 : state.fruitless + 1 }, event.code, event.random);
    case 'opened':
    case 'refused':
    case 'retry':
    case 'stopped':
      return state;
  }
}

function afterRefusal(progress: StreamProgress, status: number, random: number): StreamState {
  if (status === 405) return { kind: 'unsupported' };
  const failures = progress.failures + 1;
  const refusedMs = status < 500 ? Math.min(longestRefusedMs, 15_000 * 2 ** failures) : undefined;
  return waiting({ ...progress, failures }, refusedMs, random);
}

function afterEnd(progress: StreamProgress, code: ErrorCode | undefined, random: number): StreamState {
  const failures = progress.failures + 1;
  const isRefusal = code !== undefined && (needsAttention(code) || code === 'E_SERVER_REFUSED');
  return waiting({ ...progress, failures }, isRefusal ? delayAfterMs(code, failures) : undefined, random);
}

function waiting(progress: StreamProgress, refusedMs: number | undefined, random: number): StreamState {
  const { fruitless, failures, retryMs = 0 } = progress;
  const reopenMs = reopenDelayMs({ fruitless, retryMs, longestMs: longestReopenMs, random }) ?? fruitlessDelayMs;
  const delayMs = refusedMs ?? Math.max(reopenMs, retryDelayMs(failures));
  return { ...progressOf(progress), kind: 'waiting', delayMs };
}

const progressOf = ({ lastEventId, retryMs, failures, fruitless }: StreamProgress): StreamProgress => ({
  lastEventId,
  retryMs,
  failures,
  fruitless,
});
