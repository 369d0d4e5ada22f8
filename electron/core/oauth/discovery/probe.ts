import { AppError } from '../../errors.ts';
import { bearerChallenge } from './challenge.ts';
import type { Challenge } from './discovery.ts';
import { place } from './endpoint-url.ts';
import { redirected, redirectTarget, statusError, type Run } from './metadata.ts';

/** What the server said to a call without a token. */
export type Probe =
  | { readonly kind: 'challenged'; readonly challenge: Challenge | undefined }
  /** `fault`: why this is no answer of an MCP server that everyone may use. */
  | { readonly kind: 'answered'; readonly fault?: AppError };

const maxHops = 3;

/**
 * Asks without a token. `ping` and not `initialize`: it opens no session that somebody would have to close, and a server
 * that does not know it (2026-07-28, or no session yet) says so without harm. The check of the token comes before either.
 */
export async function askServer(run: Run, server: URL): Promise<Probe> {
  let at = server;
  for (let hop = 0; hop <= maxHops; hop += 1) {
    const { status, headers, body } = await run.http.open({
      url: at,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      allow: run.allow,
      timeoutMs: run.remainingMs(),
      maxBytes: 1024 * 1024,
      ...(run.signal ? { signal: run.signal } : {}),
    });
    body.destroy();
    // Some servers say 403 where no token was sent.
    if (status === 401 || status === 403) return { kind: 'challenged', challenge: bearerChallenge(headers['www-authenticate']) };
    const next = redirectTarget({ status, headers }, at);
    if (!next) return answered(status, headers, at);
    if (next.origin !== at.origin || (status !== 307 && status !== 308)) return { kind: 'answered', fault: redirected(at, `to ${place(next)}`) };
    at = next;
  }
  return { kind: 'answered', fault: redirected(server, 'in a circle') };
}

function answered(status: number, headers: Readonly<Record<string, string>>, url: URL): Probe {
  const type = headers['content-type'] ?? '';
  if (status >= 500) return { kind: 'answered', fault: statusError({ status, headers }, url) };
  if (status < 300 && /html/i.test(type)) {
    return { kind: 'answered', fault: new AppError('E_NOT_JSON', `${place(url)} answered with a web page: it is no MCP server.`) };
  }
  // 2026-07-28 says 404 with a JSON-RPC body to a method that it does not know.
  if (status === 404 && !/json/i.test(type)) {
    return { kind: 'answered', fault: new AppError('E_SERVER_URL', `There is no MCP server at ${place(url)}: it answered with status 404.`) };
  }
  return { kind: 'answered' };
}
