import { defined } from '../../../../shared/defined.ts';
import { AppError } from '../../base/errors.ts';
import { bearerChallenge } from './challenge.ts';
import { displayUrl } from '../endpoint-url.ts';
import { probeId, readMcpResponse } from './mcp-response.ts';
import { redirected, redirectTarget, statusError, type Run } from './metadata.ts';
import type { HttpStream } from '../../http/http.ts';
import type { Challenge } from '../model.ts';

/** How the server responded to a request without a token. */
export type Probe =
  | { readonly kind: 'challenged'; readonly status: 401 | 403; readonly challenge: Challenge | undefined }
  /** `fault`: why this is not the response of an MCP server that is open to everyone. */
  | { readonly kind: 'answered'; readonly fault?: AppError };

const maxHops = 3;
const clientInfo = { name: 'Keybridge', version: '0' };
const stateless = '2026-07-28';

/** One request, with the headers that its protocol generation requires. */
interface ProbeRequest {
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Complete request metadata (MCP 2026-07-28): stateless servers reject a request without it. */
const discover: ProbeRequest = {
  body: request('server/discover', {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': stateless,
      'io.modelcontextprotocol/clientInfo': clientInfo,
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  }),
  headers: { 'mcp-protocol-version': stateless, 'mcp-method': 'server/discover' },
};
const ping: ProbeRequest = { body: request('ping') };
const initialize: ProbeRequest = {
  body: request('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }),
};

/**
 * Sends requests without a token. `server/discover` and `ping` come before `initialize` because they open no session.
 * Servers check the token before they look up the method, so most respond to the first request with a 401. An error in
 * response to `server/discover` does not show that the server is open to everyone: it may be about the protocol version
 * alone. Some servers accept only `initialize` outside a session. Only a JSON-RPC response shows that an MCP server is
 * there and needs no sign-in.
 */
export async function probeServer(run: Run, server: URL): Promise<Probe> {
  const first = await send(run, server, discover);
  if (first.kind !== 'not_mcp' && !(first.kind === 'answered' && first.byError)) return first;
  const second = await send(run, server, ping);
  return second.kind === 'not_mcp' ? lastResult(await send(run, server, initialize), server) : second;
}

function request(method: string, params?: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: probeId, method, params });
}

/**
 * `byError`: a JSON-RPC error that may have come before the check of the token. `not_mcp`: a response that is not MCP,
 * where another request may still get one.
 */
type ProbeResult = (Probe & { readonly byError?: boolean }) | { readonly kind: 'not_mcp'; readonly status: number };

function lastResult(result: ProbeResult, server: URL): Probe {
  if (result.kind !== 'not_mcp') return result;
  return {
    kind: 'answered',
    fault: new AppError(
      'E_SERVER_URL',
      `${displayUrl(server)} responded with status ${result.status}, but not like an MCP server.`,
    ),
  };
}

async function send(run: Run, server: URL, { body, headers: requiredHeaders }: ProbeRequest): Promise<ProbeResult> {
  let at = server;
  for (let hop = 0; hop <= maxHops; hop += 1) {
    const response = await run.http.open({
      url: at,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...requiredHeaders,
      },
      body,
      allow: run.allow,
      timeoutMs: run.remainingMs(),
      maxBytes: 1024 * 1024,
      ...defined({ signal: run.signal }),
    });
    const { status, headers } = response;
    const next = redirectTarget(response, at);
    // Some servers respond with 403 to a request without a token.
    if (status === 401 || status === 403 || next) response.body.destroy();
    if (status === 401 || status === 403)
      return { kind: 'challenged', status, challenge: bearerChallenge(headers['www-authenticate']) };
    if (!next) return classify(run, response, at);
    if (next.origin !== at.origin || (status !== 307 && status !== 308))
      return { kind: 'answered', fault: redirected(at, `to ${displayUrl(next)}`) };
    at = next;
  }
  return { kind: 'answered', fault: redirected(server, 'in a loop') };
}

async function classify(run: Run, response: HttpStream, url: URL): Promise<ProbeResult> {
  const { status, headers } = response;
  // MCP 2026-07-28: the response to an unknown method is a 404 with a JSON-RPC body.
  const mcp = status < 500 && status !== 429 ? await readMcpResponse(response, run.remainingMs()) : undefined;
  response.body.destroy();
  if (mcp) {
    closeSession(run, url, headers['mcp-session-id']);
    return { kind: 'answered', byError: mcp === 'error' };
  }
  if (status >= 500 || status === 429) return { kind: 'answered', fault: statusError(response, url) };
  if (status < 300 && /html/i.test(headers['content-type'] ?? '')) {
    return {
      kind: 'answered',
      fault: new AppError('E_NOT_JSON', `${displayUrl(url)} returned a web page, so it is not an MCP server.`),
    };
  }
  if (status === 404 || status === 405 || status === 410) {
    return {
      kind: 'answered',
      fault: new AppError(
        'E_SERVER_URL',
        `There is no MCP server at ${displayUrl(url)}: it responded with status ${status}.`,
      ),
    };
  }
  return { kind: 'not_mcp', status };
}

/** Closes the session that the request opened. Not awaited: if the server ignores the request, the session expires. */
function closeSession(run: Run, url: URL, session: string | undefined): void {
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
