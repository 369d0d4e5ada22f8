import { within } from '../core/base/async.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HostLink } from './host-link.ts';
import type { PendingRequest } from './model.ts';

/** A request of the host that has no response yet. */
export interface Call {
  readonly request: PendingRequest;
  readonly abort: AbortController;
  /** The server has begun to respond. */
  responseStarted: boolean;
  /** The host has cancelled the call and expects no response. */
  cancelled: boolean;
  /** The call is held until the user decides about more scopes, so the server does not know it. */
  held: boolean;
}

/** The running calls of one host, by id. */
export interface RunningCalls {
  readonly size: number;
  has(id: string): boolean;
  get(id: string): Call | undefined;
  /** Adds a call, runs it, and removes it when `run` has ended. `run` must not reject. */
  start(request: PendingRequest, run: (call: Call) => Promise<void>): void;
  /** Sends the response to the host, unless it has one already. */
  respond(call: Call, line: Buffer | string): void;
  /** The server has begun to respond: the call's message is no longer on its way. */
  responseStarted(call: Call): void;
  /**
   * Cancels a call for the host. A stateless server notices the closed stream. A server with sessions is notified by
   * `notify`, and has a moment to respond before the stream is closed.
   */
  cancel(call: Call, notify: () => Promise<void>): void;
  abortAll(): void;
}

/** How long a server may still respond to a call after it was notified of its cancellation, in ms. */
const cancelGraceMs = 1_000;
/** Longest wait until the server has accepted that notification, in ms. */
const cancelNotifyMs = 3_000;

export function createRunningCalls(host: Pick<HostLink, 'send' | 'onLoad' | 'onIdle'>, clock: Clock): RunningCalls {
  const calls = new Map<string, Call>();
  let load = 0;

  const addLoad = (bytes: number) => {
    load += bytes;
    host.onLoad(load);
  };

  return {
    get size() {
      return calls.size;
    },
    has: (id) => calls.has(id),
    get: (id) => calls.get(id),
    start(request, run) {
      const { id } = request.envelope;
      const { length } = request.line;
      const call: Call = {
        request,
        abort: new AbortController(),
        responseStarted: false,
        cancelled: false,
        held: false,
      };
      calls.set(id, call);
      addLoad(length);
      void run(call).finally(() => {
        if (calls.get(id) === call) calls.delete(id);
        if (!call.responseStarted) addLoad(-length);
        if (calls.size === 0) host.onIdle();
      });
    },
    respond(call, line) {
      const { id } = call.request.envelope;
      if (calls.get(id) !== call) return;
      calls.delete(id);
      host.send(line);
    },
    responseStarted(call) {
      if (call.responseStarted) return;
      call.responseStarted = true;
      addLoad(-call.request.line.length);
    },
    cancel(call, notify) {
      call.cancelled = true;
      if (call.request.envelope.stateless || call.held) return call.abort.abort();
      // A server that does not answer the notification must not keep the call alive.
      void within(clock, cancelNotifyMs, notify()).then(() => clock.after(cancelGraceMs, () => call.abort.abort()));
    },
    abortAll() {
      for (const call of calls.values()) call.abort.abort();
    },
  };
}
