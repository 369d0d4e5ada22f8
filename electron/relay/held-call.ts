import { readEnvelope } from '../../shared/json-rpc.ts';
import { readJson } from '../../shared/json.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HeldCall, PendingRequest, ResponseHandler } from './model.ts';

/** Longest wait, in ms: most hosts give up after 60 s without progress. */
const maxWaitMs = 50_000;
const maxWaitWithProgressMs = 5 * 60_000;
const progressIntervalMs = 12_000;

/**
 * Describes a call that may be held. While it is held, the host gets a progress notification every 12 s if it asked for
 * progress. `onHeld` is called with true at the start and with false at the end.
 */
export function heldCall(
  { line, envelope }: PendingRequest,
  clock: Clock,
  handler: ResponseHandler,
  onHeld: (held: boolean) => void = () => {},
): HeldCall {
  const token = progressToken(line);
  return {
    operation: envelope.name ?? envelope.method,
    waitMs: token === undefined ? maxWaitMs : maxWaitWithProgressMs,
    begin() {
      let count = 0;
      let stop = () => {};
      onHeld(true);
      const notify = () => {
        count += 1;
        // Progress must increase (MCP, Progress), and the server's own values follow later, so these are tiny.
        const params = {
          progressToken: token,
          progress: count / 1_000_000,
          message: 'Keybridge is waiting for you to allow more access.',
        };
        const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params }));
        handler.onServerMessage(bytes, readEnvelope(bytes));
        stop = clock.after(progressIntervalMs, notify);
      };
      if (token !== undefined) notify();
      return () => {
        stop();
        onHeld(false);
      };
    },
  };
}

/** `params._meta.progressToken`; undefined if it is absent or a number that would lose digits. */
function progressToken(line: Uint8Array): string | number | undefined {
  const message = readJson(Buffer.from(line).toString('utf8')) as
    | { params?: { _meta?: { progressToken?: unknown } } }
    | undefined;
  const token = message?.params?._meta?.progressToken;
  return typeof token === 'string' || Number.isSafeInteger(token) ? (token as string | number) : undefined;
}
