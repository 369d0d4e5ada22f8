import { readJsonObject } from '../../../../shared/json.ts';
import type { HttpStream } from '../../http/client.ts';

/** An answer to a question without content is short. */
const maxBytes = 64 * 1024;
/** A server that has sent its head answers at once. */
const longestWaitMs = 5_000;

/**
 * Whether the body is, or in an event stream holds, a JSON-RPC response: only an MCP server answers our question with one.
 * Reads at most 64 KB, for at most 5 s (`withinMs`, if that is less), and closes the stream.
 */
export async function isMcpAnswer({ headers, body }: Pick<HttpStream, 'headers' | 'body'>, withinMs: number): Promise<boolean> {
  const events = /event-stream/i.test(headers['content-type'] ?? '');
  const timer = setTimeout(() => body.destroy(), Math.min(withinMs, longestWaitMs));
  let text = '';
  try {
    for await (const chunk of body) {
      text += chunk.toString('utf8');
      if (text.length > maxBytes) return false;
      if (events && messagesIn(text).some(isResponse)) return true;
    }
    return events ? messagesIn(text).some(isResponse) : isResponse(text);
  } catch {
    // It broke off, or nothing came in time: no answer.
    return false;
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
    .map((event) => event.split('\n').flatMap((line) => (line.startsWith('data:') ? [line.slice(5)] : [])).join('\n'));
}

function isResponse(text: string): boolean {
  const message = readJsonObject(text);
  if (!message) return false;
  const { jsonrpc, result, error, method } = message;
  return jsonrpc === '2.0' && method === undefined && (result !== undefined || (typeof error === 'object' && error !== null));
}
