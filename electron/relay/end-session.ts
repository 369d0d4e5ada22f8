import { discard } from './drain.ts';
import type { RequestDeps } from './request.ts';
import { addSession, type SessionHeaders } from './request-headers.ts';

/** With all that comes before it: a token that is awaited, a server that is busy. */
const farewellMs = 1_500;

/**
 * Tells the server that a session has ended (DELETE, MCP 2025-11-25 transports). Never throws: it ends by itself there.
 */
export async function endSession(
  { serverClient, clock }: RequestDeps,
  ended: SessionHeaders | undefined,
): Promise<void> {
  if (ended?.sessionId === undefined) return;
  const headers: Record<string, string> = {};
  addSession(headers, ended);
  const late = new AbortController();
  const cancel = clock.after(farewellMs, () => late.abort());
  try {
    discard(
      await serverClient.request({
        method: 'DELETE',
        headers,
        timeoutMs: farewellMs,
        signal: late.signal,
        repeatable: false,
        onChallenge: 'quiet',
      }),
      clock,
    );
  } catch {
    // The server drops it in its own time.
  } finally {
    cancel();
  }
}
