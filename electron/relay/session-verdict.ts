import { readJson } from '../../shared/json.ts';
import { readEnvelope, sameId } from '../../shared/json-rpc.ts';
import { isErrorWithoutId } from './message-validity.ts';

/** What a response says about the session that its request was sent in. */
export type SessionVerdict =
  | 'kept'
  /** The response says that the session is lost, so the request did not run. */
  | 'lost'
  /** The session may be lost; a `ping` can tell. */
  | 'doubtful';

/** Statuses of servers that do not know a session: 404 by the specification, the others in practice. */
export const lossStatuses: ReadonlySet<number> = new Set([400, 404, 409, 410, 500]);
const methodNotFound = -32_601;

/**
 * Judges a response to a request that carried `Mcp-Session-Id`. A JSON-RPC response with the request's own id shows
 * that the server accepted the request, so the session is kept unless the error text says otherwise. The same holds for
 * a 200, unless it is an error without an id that says so.
 */
export function judgeSession(status: number, body: Buffer, id: string): SessionVerdict {
  if (status === 200) {
    const isError = isShortError(body) && isErrorWithoutId(readEnvelope(body));
    return isError && saysSessionIsLost(body) ? 'doubtful' : 'kept';
  }
  if (!lossStatuses.has(status)) return 'kept';
  const envelope = readEnvelope(body);
  const isResponse =
    envelope.kind !== 'batch' && (envelope.hasError || envelope.hasResult) && envelope.method === undefined;
  const saysLost = !envelope.hasResult && saysSessionIsLost(body);
  if (envelope.kind === 'response' && sameId(envelope.id, id)) return saysLost ? 'doubtful' : 'kept';
  if (saysLost) return 'lost';
  if (isResponse && errorCodeIn(body) === methodNotFound) return 'kept';
  return isResponse || status === 404 || status === 410 ? 'doubtful' : 'kept';
}

/** Whether the body is a JSON-RPC response to the request with this id. */
export function isResponseTo(body: Buffer, id: string): boolean {
  const envelope = readEnvelope(body);
  return envelope.kind === 'response' && sameId(envelope.id, id);
}

/** A longer body is not an error about the session. */
const maxErrorBytes = 16_384;
/** Almost no response with status 200 is an error, so this cheap check comes first. */
const isShortError = (body: Buffer): boolean => body.length <= maxErrorBytes && body.includes('"error"');

/** Longer texts are web pages and stack traces, which may contain the words by chance. */
const maxTextLength = 300;

const sessionIs = [
  'not[ _]found',
  'invalid',
  'unknown',
  'expired',
  'terminated',
  'closed',
  'missing',
  'required',
  "(?:doesn[’']t|does not) exist",
  'no longer',
  'not (?:exist|recogni[sz]ed|valid|initiali[sz]ed)',
];
const adjectives = ['no', 'not a valid', 'invalid', 'unknown', 'expired', 'missing', 'bad', 'stale', 'unrecogni[sz]ed'];
const notFinding = "(?:could not|cannot|can[’']t) find";
const lossTexts = new RegExp(
  [
    `session[^.]{0,50}\\b(?:${sessionIs.join('|')})`,
    `\\b(?:${[...adjectives, notFinding].join('|')})\\b[^.]{0,40}\\bsession`,
    String.raw`\bnot[ _]initiali[sz]ed\b`,
  ].join('|'),
  'i',
);

function saysSessionIsLost(body: Buffer): boolean {
  const raw = body.length > maxErrorBytes ? '' : body.toString('utf8').trim();
  const text = raw.startsWith('{') ? errorTextIn(readJson(raw)) : raw;
  return text.length <= maxTextLength && !text.startsWith('<') && lossTexts.test(text);
}

interface ErrorBody {
  readonly error?: unknown;
  readonly message?: unknown;
  readonly detail?: unknown;
  readonly error_description?: unknown;
}

function errorTextIn(value: unknown): string {
  const outer = (value ?? {}) as ErrorBody;
  const inner = (typeof outer.error === 'object' && outer.error !== null ? outer.error : {}) as ErrorBody & {
    readonly data?: unknown;
  };
  const texts = [outer.error, outer.message, outer.detail, outer.error_description, inner.message, inner.data];
  return texts.filter((text) => typeof text === 'string').join('; ');
}

const errorCodeIn = (body: Buffer): unknown =>
  (readJson(body.toString('utf8')) as { error?: { code?: unknown } } | undefined)?.error?.code;
