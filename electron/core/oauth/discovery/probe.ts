import { AppError } from '../../base/errors.ts';
import { bearerChallenge } from './challenge.ts';
import { displayUrl } from '../endpoint-url.ts';
import { questionId, readMcpResponse } from './mcp-response.ts';
import { redirected, redirectTarget, statusError, type Run } from './metadata.ts';
import type { HttpStream } from '../../http/http.ts';
import type { Challenge } from '../model.ts';

/** What the server said to a call without a token. */
export type Probe =
  | { readonly kind: 'challenged'; readonly status: 401 | 403; readonly challenge: Challenge | undefined }
  /** `fault`: why this is no answer of an MCP server that everyone may use. */
  | { readonly kind: 'answered'; readonly fault?: AppError };

const maxHops = 3;
const clientInfo = { name: 'Keybridge', version: '0' };
const stateless = '2026-07-28';

/** One question, with the headers that its generation demands. */
interface Question {
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Whole as the stateless generation wants it (MCP 2026-07-28, request metadata): its servers refuse anything else. */
const discover: Question = {
  body: request('server/discover', {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': stateless,
      'io.modelcontextprotocol/clientInfo': clientInfo,
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  }),
  headers: { 'mcp-protocol-version': stateless, 'mcp-method': 'server/discover' },
};
const ping: Question = { body: request('ping') };
const initialize: Question = {
  body: request('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }),
};

/**
 * Asks without a token. `server/discover` and `ping` come before `initialize`: they open no session that somebody would
 * have to close. Servers check the token before they look for the method; any other error for `server/discover` is not
 * taken as a sign that everyone may use the server, since it can be about the protocol version alone. Some servers know
 * nothing but `initialize` before a session. Only an answer in JSON-RPC shows that an MCP server is there and open to
 * everyone.
 */
export async function askServer(run: Run, server: URL): Promise<Probe> {
  const first = await ask(run, server, discover);
  if (first.kind !== 'silent' && !(first.kind === 'answered' && first.byError)) return first;
  const second = await ask(run, server, ping);
  return second.kind === 'silent' ? after(await ask(run, server, initialize), server) : second;
}

function request(method: string, params?: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: questionId, method, params });
}

/**
 * `byError`: with a JSON-RPC error that leaves open whether the question came through. `silent`: it answered, and not
 * as an MCP server does.
 */
type Asked = (Probe & { readonly byError?: boolean }) | { readonly kind: 'silent'; readonly status: number };

function after(asked: Asked, server: URL): Probe {
  if (asked.kind !== 'silent') return asked;
  return {
    kind: 'answered',
    fault: new AppError(
      'E_SERVER_URL',
      `${displayUrl(server)} answered with status ${asked.status}, but not as an MCP server does.`,
    ),
  };
}

async function ask(run: Run, server: URL, { body, headers: ofGeneration }: Question): Promise<Asked> {
  let at = server;
  for (let hop = 0; hop <= maxHops; hop += 1) {
    const answer = await run.http.open({
      url: at,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...ofGeneration },
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
    if (status === 401 || status === 403)
      return { kind: 'challenged', status, challenge: bearerChallenge(headers['www-authenticate']) };
    if (!next) return judge(run, answer, at);
    if (next.origin !== at.origin || (status !== 307 && status !== 308))
      return { kind: 'answered', fault: redirected(at, `to ${displayUrl(next)}`) };
    at = next;
  }
  return { kind: 'answered', fault: redirected(server, 'in a circle') };
}

async function judge(run: Run, answer: HttpStream, url: URL): Promise<Asked> {
  const { status, headers } = answer;
  // 2026-07-28 says 404 with a JSON-RPC body to a method that it does not know.
  const mcp = status < 500 && status !== 429 ? await readMcpResponse(answer, run.remainingMs()) : undefined;
  answer.body.destroy();
  if (mcp) {
    leave(run, url, headers['mcp-session-id']);
    return { kind: 'answered', byError: mcp === 'error' };
  }
  if (status >= 500 || status === 429) return { kind: 'answered', fault: statusError(answer, url) };
  if (status < 300 && /html/i.test(headers['content-type'] ?? '')) {
    return {
      kind: 'answered',
      fault: new AppError('E_NOT_JSON', `${displayUrl(url)} answered with a web page: it is no MCP server.`),
    };
  }
  if (status === 404 || status === 405 || status === 410) {
    return {
      kind: 'answered',
      fault: new AppError(
        'E_SERVER_URL',
        `There is no MCP server at ${displayUrl(url)}: it answered with status ${status}.`,
      ),
    };
  }
  return { kind: 'silent', status };
}

/**
 * Closes the session that the question opened. Nobody waits for it: a server that does not take it ends the session by
 * itself.
 */
function leave(run: Run, url: URL, session: string | undefined): void {
  if (session === undefined || !/^[\x21-\x7e]{1,1000}$/.test(session)) return;
  run.http
    .open({
      url,
      method: 'DELETE',
      headers: { 'mcp-session-id': session },
      allow: run.allow,
      timeoutMs: 2_000,
      maxBytes: 1024,
    })
    .then(({ body }) => body.destroy())
    .catch(() => {});
}
