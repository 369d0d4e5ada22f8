import { discard } from './drain.ts';
import type { RequestDeps } from './request.ts';
import { addSession, type SessionHeaders } from './request-headers.ts';

/** Longest wait, in ms. It includes the wait for a token or a busy server. */
const maxMs = 1_500;

/** Ends a session at the server (DELETE, MCP 2025-11-25 transports). Never throws. */
export async function endSession(
  { serverClient, clock }: RequestDeps,
  session: SessionHeaders | undefined,
): Promise<void> {
  if (session?.sessionId === undefined) return;
  const headers: Record<string, string> = {};
  addSession(headers, session);
  const late = new AbortController();
  const cancel = clock.after(maxMs, () => late.abort());
  try {
    discard(
      await serverClient.request({
        method: 'DELETE',
        headers,
        timeoutMs: maxMs,
        signal: late.signal,
        repeatable: false,
        onChallenge: 'ignore',
      }),
      clock,
    );
  } catch {
    // The server drops unused sessions by itself.
  } finally {
    cancel();
  }
}
