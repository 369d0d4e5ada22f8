import { AppError } from '../../errors.ts';
import type { HttpStream } from '../../http/client.ts';
import { bearerChallenge } from './challenge.ts';
import type { Challenge } from './discovery.ts';
import { place } from './endpoint-url.ts';
import { isMcpAnswer } from './mcp-answer.ts';
import { redirected, redirectTarget, statusError, type Run } from './metadata.ts';

/** What the server said to a call without a token. */
export type Probe =
  | { readonly kind: 'challenged'; readonly status: 401 | 403; readonly challenge: Challenge | undefined }
  /** `fault`: why this is no answer of an MCP server that everyone may use. */
  | { readonly kind: 'answered'; readonly fault?: AppError };

const maxHops = 3;
const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'Keybridge', version: '0' } },
});

/**
 * Asks without a token. `ping` and not `initialize`: it opens no session that somebody would have to close, and a server
 * that does not know it (2026-07-28, or no session yet) says so without harm. The check of the token comes before either.
 * Where that is answered in another language than MCP's, `initialize` is asked too: some servers know nothing else before
 * a session. Only an answer in JSON-RPC shows that an MCP server is there and open to everyone.
 */
export async function askServer(run: Run, server: URL): Promise<Probe> {
  const first = await ask(run, server, ping);
  return first.kind === 'silent' ? after(await ask(run, server, initialize), server) : after(first, server);
}

/** `silent`: it answered, and not as an MCP server does. */
type Asked = Probe | { readonly kind: 'silent'; readonly status: number };

function after(asked: Asked, server: URL): Probe {
  if (asked.kind !== 'silent') return asked;
  return { kind: 'answered', fault: new AppError('E_SERVER_URL', `${place(server)} answered with status ${asked.status}, but not as an MCP server does.`) };
}

async function ask(run: Run, server: URL, body: string): Promise<Asked> {
  let at = server;
  for (let hop = 0; hop <= maxHops; hop += 1) {
    const answer = await run.http.open({
      url: at,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body,
      allow: run.allow,
      timeoutMs: run.remainingMs(),
      maxBytes: 1024 * 1024,
      ...(run.signal ? { signal: run.signal } : {}),
    });
    const { status, headers } = answer;
    const next = redirectTarget(answer, at);
    // Some servers say 403 where no token was sent.
    if (status === 401 || status === 403 || next) answer.body.destroy();
    if (status === 401 || status === 403) return { kind: 'challenged', status, challenge: bearerChallenge(headers['www-authenticate']) };
    if (!next) return judge(run, answer, at);
    if (next.origin !== at.origin || (status !== 307 && status !== 308)) return { kind: 'answered', fault: redirected(at, `to ${place(next)}`) };
    at = next;
  }
  return { kind: 'answered', fault: redirected(server, 'in a circle') };
}

async function judge(run: Run, answer: HttpStream, url: URL): Promise<Asked> {
  const { status, headers } = answer;
  // 2026-07-28 says 404 with a JSON-RPC body to a method that it does not know.
  const mcp = status < 500 && status !== 429 && (await isMcpAnswer(answer, run.remainingMs()));
  answer.body.destroy();
  if (mcp) {
    leave(run, url, headers['mcp-session-id']);
    return { kind: 'answered' };
  }
  if (status >= 500 || status === 429) return { kind: 'answered', fault: statusError(answer, url) };
  if (status < 300 && /html/i.test(headers['content-type'] ?? '')) {
    return { kind: 'answered', fault: new AppError('E_NOT_JSON', `${place(url)} answered with a web page: it is no MCP server.`) };
  }
  if (status === 404 || status === 405 || status === 410) {
    return { kind: 'answered', fault: new AppError('E_SERVER_URL', `There is no MCP server at ${place(url)}: it answered with status ${status}.`) };
  }
  return { kind: 'silent', status };
}

/** Closes the session that the question opened. Nobody waits for it: a server that does not take it ends the session by itself. */
function leave(run: Run, url: URL, session: string | undefined): void {
  if (session === undefined || !/^[\x21-\x7e]{1,1000}$/.test(session)) return;
  run.http
    .open({ url, method: 'DELETE', headers: { 'mcp-session-id': session }, allow: run.allow, timeoutMs: 2_000, maxBytes: 1024 })
    .then(({ body }) => body.destroy())
    .catch(() => {});
}
