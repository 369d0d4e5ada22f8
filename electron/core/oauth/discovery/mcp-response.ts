import { readJsonObject } from '../../../../shared/json.ts';
import type { HttpStream } from '../../http/http.ts';

/** The id of each of our questions. */
export const questionId = 1;
/**
 * Method not found (JSON-RPC 2.0, section 5.1); what a stateless server says of a request's metadata (MCP 2026-07-28).
 */
const readCodes: ReadonlySet<unknown> = new Set([-32601, -32020, -32021, -32022]);

/** An answer to a question without content is short. */
const maxBytes = 64 * 1024;
/** A server that has sent its head answers at once. */
const longestWaitMs = 5_000;

/** `dispatched`: the server read our question as one of MCP, so it came through. `error`: any other JSON-RPC error. */
export type McpResponse = 'dispatched' | 'error';

/**
 * Which kind of JSON-RPC response the body is, or an event stream holds: only an MCP server answers our question with
 * one. Undefined where there is none. Reads at most 64 KB, for at most 5 s (`withinMs`, if that is less), and closes
 * the stream.
 */
export async function readMcpResponse(
  { headers, body }: Pick<HttpStream, 'headers' | 'body'>,
  withinMs: number,
): Promise<McpResponse | undefined> {
  const events = /event-stream/i.test(headers['content-type'] ?? '');
  const timer = setTimeout(() => body.destroy(), Math.min(withinMs, longestWaitMs));
  let text = '';
  try {
    for await (const chunk of body) {
      text += chunk.toString('utf8');
      if (text.length > maxBytes) return undefined;
      const answer = events ? firstResponse(messagesIn(text)) : undefined;
      if (answer) return answer;
    }
    return firstResponse(events ? messagesIn(text) : [text]);
  } catch {
    // It broke off, or nothing came in time: no answer.
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
  return id === questionId && 'code' in error && readCodes.has(error.code) ? 'dispatched' : 'error';
}
