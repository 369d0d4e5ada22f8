import { envelope, sameId } from '../../shared/json-rpc.ts';
import type { Clock } from '../core/ports.ts';
import { discard, drain } from './drain.ts';
import { parse } from './endpoint.ts';
import { legacyHeaders, type SessionHeaders } from './headers.ts';
import type { Upstream } from './upstream.ts';

/** What a refusal says about the session of the request that it is for. */
export type SessionVerdict =
  | 'kept'
  /** It says so in words: the session is lost, and the request did not run. */
  | 'lost'
  /** It may be: to be asked by a `ping`. */
  | 'doubtful';

/** Statuses by which servers tell that they do not know a session: 404 by the specification, the others in practice. */
const lossStatuses = new Set([400, 404, 409, 410, 500]);
const unknownMethod = -32_601;

/**
 * Judges a response that is no success, to a request that carried `Mcp-Session-Id`. A JSON-RPC response to the request itself
 * shows that the server took it: the session is kept, unless its error says in words that there is none.
 */
export function judgeSession(status: number, body: Buffer, id: string): SessionVerdict {
  if (!lossStatuses.has(status)) return 'kept';
  const found = envelope(body);
  const isResponse = found.kind !== 'batch' && (found.hasError || found.hasResult) && found.method === undefined;
  const says = found.hasResult ? false : saysSessionIsLost(body);
  if (found.kind === 'response' && sameId(found.id, id)) return says ? 'doubtful' : 'kept';
  if (says) return 'lost';
  if (isResponse && codeIn(body) === unknownMethod) return 'kept';
  return isResponse || status === 404 || status === 410 ? 'doubtful' : 'kept';
}

/** Whether the body is a JSON-RPC response to the request with this id. */
export function isResponseTo(body: Buffer, id: string): boolean {
  const found = envelope(body);
  return found.kind === 'response' && sameId(found.id, id);
}

/** Longer texts are pages and traces, in which the words may stand for any reason. */
const mostWords = 300;
const lostWords =
  /session[^.]{0,50}\b(?:not[ _]found|invalid|unknown|expired|terminated|closed|missing|required|(?:doesn[’']t|does not) exist|no longer|not (?:exist|recogni[sz]ed|valid|initiali[sz]ed))|\b(?:no|not a valid|invalid|unknown|expired|missing|bad|stale|unrecogni[sz]ed|(?:could not|cannot|can[’']t) find)\b[^.]{0,40}\bsession|\bnot[ _]initiali[sz]ed\b/i;

export function saysSessionIsLost(body: Buffer): boolean {
  const text = body.length > 16_384 ? '' : body.toString('utf8').trim();
  const words = text.startsWith('{') ? wordsIn(parse(text)) : text;
  return words.length <= mostWords && !words.startsWith('<') && lostWords.test(words);
}

interface Words {
  readonly error?: unknown;
  readonly message?: unknown;
  readonly detail?: unknown;
  readonly error_description?: unknown;
}

function wordsIn(value: unknown): string {
  const outer = (value ?? {}) as Words;
  const inner = (typeof outer.error === 'object' && outer.error !== null ? outer.error : {}) as Words & { readonly data?: unknown };
  const all = [outer.error, outer.message, outer.detail, outer.error_description, inner.message, inner.data];
  return all.filter((one) => typeof one === 'string').join('; ');
}

const codeIn = (body: Buffer): unknown => (parse(body.toString('utf8')) as { error?: { code?: unknown } } | undefined)?.error?.code;

const probeMs = 5_000;
const probeId = '"keybridge-session-probe"';

/** Asks by a `ping`, which changes nothing, whether the server still knows the session. No answer means that it does. */
export async function knowsSession(upstream: Upstream, session: SessionHeaders, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const body = Buffer.from(`{"jsonrpc":"2.0","id":${probeId},"method":"ping"}`);
  try {
    const stream = await upstream.request({ method: 'POST', headers: legacyHeaders(session), body, timeoutMs: probeMs, signal, repeatable: false, onChallenge: 'quiet' });
    if (!lossStatuses.has(stream.status)) {
      discard(stream, clock);
      return true;
    }
    return judgeSession(stream.status, await drain(stream, clock), probeId) === 'kept';
  } catch {
    return true;
  }
}
