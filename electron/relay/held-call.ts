import { readEnvelope } from '../../shared/json-rpc.ts';
import { readJson } from '../../shared/json.ts';
import type { PendingRequest, ResponseHandler } from './response.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HeldCall } from './model.ts';

/** Hosts commonly give up after 60 s. */
const silentMs = 50_000;
/** A host that asked for progress is kept waiting by it. */
const withProgressMs = 5 * 60_000;
const everyMs = 12_000;

export function heldCall(
  { line, envelope: asked }: PendingRequest,
  clock: Clock,
  handler: ResponseHandler,
  onHold: (held: boolean) => void = () => {},
): HeldCall {
  const token = progressToken(line);
  return {
    operation: asked.name ?? asked.method,
    waitMs: token === undefined ? silentMs : withProgressMs,
    begin() {
      let told = 0;
      let stop = () => {};
      onHold(true);
      const tell = () => {
        told += 1;
        // It must rise from one to the next, and the server's own progress may begin low.
        const params = {
          progressToken: token,
          progress: told / 1_000_000,
          message: 'Keybridge waits for you to allow more access.',
        };
        const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params }));
        handler.onServerMessage(bytes, readEnvelope(bytes));
        stop = clock.after(everyMs, tell);
      };
      if (token !== undefined) tell();
      return () => {
        stop();
        onHold(false);
      };
    },
  };
}

/** `params._meta.progressToken`; undefined when there is none, or when it is a number that would lose digits. */
function progressToken(line: Uint8Array): string | number | undefined {
  const message = readJson(Buffer.from(line).toString('utf8')) as
    | { params?: { _meta?: { progressToken?: unknown } } }
    | undefined;
  const token = message?.params?._meta?.progressToken;
  return typeof token === 'string' || Number.isSafeInteger(token) ? (token as string | number) : undefined;
}
