import { readJsonObject } from '../../../../shared/json.ts';
import type { HttpStream } from '../../http/http.ts';

/** The JSON-RPC id of every probe request. */
export const probeId = 1;
/** Method not found (JSON-RPC 2.0, section 5.1), and the errors about a request's metadata (MCP 2026-07-28). */
const dispatchCodes: ReadonlySet<unknown> = new Set([-32601, -32020, -32021, -32022]);

/** Responses to probe requests are short. */
const maxBytes = 64 * 1024;
/** A server that has sent its headers is expected to send the body at once. */
const maxWaitMs = 5_000;

/** `dispatched`: the request passed authentication and reached the MCP server. `error`: any other JSON-RPC error. */
export type McpResponse = 'dispatched' | 'error';

/**
 * The kind of JSON-RPC response in the body or in an event stream; only an MCP server sends one. Undefined if there is
 * none. Reads at most 64 KB, for at most 5 s (or `withinMs`, if that is less), and closes the stream.
 */
export async function readMcpResponse(
  { headers, body }: Pick<HttpStream, 'headers' | 'body'>,
  withinMs: number,
): Promise<McpResponse | undefined> {
  const events = /event-stream/i.test(headers['content-type'] ?? '');
  const timer = setTimeout(() => body.destroy(), Math.min(withinMs, maxWaitMs));
  let text = '';
  try {
    for await (const chunk of body) {
      text += chunk.toString('utf8');
      if (text.length > maxBytes) return undefined;
      const response = events ? firstResponse(messagesIn(text)) : undefined;
      if (response) return response;
    }
    return firstResponse(events ? messagesIn(text) : [text]);
  } catch {
    // The connection broke, or the time was over.
    return undefined;
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
}

/** The data of each complete event (WHATWG HTML 9.2.6). */
function messagesIn(text: string): string[] {
  return text
    .replaceAll(/\r\n?/g, '\n')
    .split('\n\n')
    .slice(0, -1)
    .map((event) =>
      event
        .split('\n')
        .flatMap((line) => (line.startsWith('data:') ? [line.slice(5)] : []))
        .join('\n'),
    );
}

const firstResponse = (messages: readonly string[]): McpResponse | undefined =>
  messages.map(responseKind).find((kind) => kind !== undefined);

function responseKind(text: string): McpResponse | undefined {
  const { jsonrpc, id, result, error, method } = readJsonObject(text) ?? {};
  if (jsonrpc !== '2.0' || method !== undefined) return undefined;
  if (result !== undefined) return 'dispatched';
  if (typeof error !== 'object' || error === null) return undefined;
  return id === probeId && 'code' in error && dispatchCodes.has(error.code) ? 'dispatched' : 'error';
}
