import { readJson } from '../../shared/json.ts';
import { readEnvelope, sameId } from '../../shared/json-rpc.ts';
import { AppError } from '../core/base/errors.ts';
import { isErrorWithoutId, type PendingRequest } from './response.ts';
import { discard, drain } from './drain.ts';
import { isRepeatable } from '../../shared/mcp-methods.ts';
import { sessionRequestHeaders, type SessionHeaders } from './request-headers.ts';
import type { ServerClient } from './server-client.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HttpHead } from '../core/http/http.ts';

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
 * Judges a response to a request that carried `Mcp-Session-Id`. A JSON-RPC response to the request itself shows that
 * the server took it: the session is kept, unless its error says in words that there is none. So does a success, unless
 * it is an error without an id that says so.
 */
export function judgeSession(status: number, body: Buffer, id: string): SessionVerdict {
  if (status === 200)
    return isShortError(body) && isErrorWithoutId(readEnvelope(body)) && saysSessionIsLost(body) ? 'doubtful' : 'kept';
  if (!lossStatuses.has(status)) return 'kept';
  const found = readEnvelope(body);
  const isResponse = found.kind !== 'batch' && (found.hasError || found.hasResult) && found.method === undefined;
  const says = found.hasResult ? false : saysSessionIsLost(body);
  if (found.kind === 'response' && sameId(found.id, id)) return says ? 'doubtful' : 'kept';
  if (says) return 'lost';
  if (isResponse && codeIn(body) === unknownMethod) return 'kept';
  return isResponse || status === 404 || status === 410 ? 'doubtful' : 'kept';
}

/** Whether the body is a JSON-RPC response to the request with this id. */
function isResponseTo(body: Buffer, id: string): boolean {
  const found = readEnvelope(body);
  return found.kind === 'response' && sameId(found.id, id);
}

/** Longer bodies say something else. */
const mostBytes = 16_384;
/** Nearly every answer is none: it is not read for this. */
const isShortError = (body: Buffer): boolean => body.length <= mostBytes && body.includes('"error"');

/** Longer texts are pages and traces, in which the words may stand for any reason. */
const mostWords = 300;
const lostWords =
  /session[^.]{0,50}\b(?:not[ _]found|invalid|unknown|expired|terminated|closed|missing|required|(?:doesn[’']t|does not) exist|no longer|not (?:exist|recogni[sz]ed|valid|initiali[sz]ed))|\b(?:no|not a valid|invalid|unknown|expired|missing|bad|stale|unrecogni[sz]ed|(?:could not|cannot|can[’']t) find)\b[^.]{0,40}\bsession|\bnot[ _]initiali[sz]ed\b/i;

function saysSessionIsLost(body: Buffer): boolean {
  const text = body.length > mostBytes ? '' : body.toString('utf8').trim();
  const words = text.startsWith('{') ? wordsIn(readJson(text)) : text;
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
  const inner = (typeof outer.error === 'object' && outer.error !== null ? outer.error : {}) as Words & {
    readonly data?: unknown;
  };
  const all = [outer.error, outer.message, outer.detail, outer.error_description, inner.message, inner.data];
  return all.filter((one) => typeof one === 'string').join('; ');
}

const codeIn = (body: Buffer): unknown =>
  (readJson(body.toString('utf8')) as { error?: { code?: unknown } } | undefined)?.error?.code;

const probeMs = 5_000;
const probeId = '"keybridge-session-probe"';

const ping = (session: SessionHeaders, signal: AbortSignal) =>
  ({
    method: 'POST',
    headers: sessionRequestHeaders(session),
    body: Buffer.from(`{"jsonrpc":"2.0","id":${probeId},"method":"ping"}`),
    timeoutMs: probeMs,
    signal,
    repeatable: false,
    onChallenge: 'quiet',
  }) as const;

/** Whether the server takes a `ping` in this session. */
async function takesPing(
  serverClient: ServerClient,
  session: SessionHeaders,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const stream = await serverClient.request(ping(session, signal));
    discard(stream, clock);
    return stream.status < 300;
  } catch {
    return false;
  }
}

/**
 * Asks by a `ping`, which changes nothing, whether the server still knows the session. No answer means that it does.
 */
async function knowsSession(
  serverClient: ServerClient,
  session: SessionHeaders,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const stream = await serverClient.request(ping(session, signal));
    if (!lossStatuses.has(stream.status) && !(stream.status === 200 && isJson(stream))) {
      discard(stream, clock);
      return true;
    }
    return judgeSession(stream.status, await drain(stream, clock), probeId) === 'kept';
  } catch {
    return true;
  }
}

const isJson = ({ headers }: HttpHead): boolean => /^application\/json\b/i.test(headers['content-type'] ?? '');

/** What the answer to a request says about the session that the request was sent in. */
export type SessionFate =
  | 'kept'
  /** The request did not run, or may run twice. */
  | 'lost'
  /** A ping says so as well, but the request may have run: see `confirmLoss`. */
  | 'seems_lost'
  /** The answer is the request's, and the next one wants another session. */
  | 'lost_behind';

export interface FateDeps {
  readonly serverClient: ServerClient;
  readonly clock: Clock;
  readonly server: string;
}

export async function sessionFate(
  { serverClient, clock }: FateDeps,
  { envelope: asked }: PendingRequest,
  session: SessionHeaders,
  status: number,
  body: Buffer,
  signal: AbortSignal,
): Promise<SessionFate> {
  // After a sign-in perhaps somebody else's session is refused like this.
  if (session.suspect && [400, 401, 403].includes(status) && !isResponseTo(body, asked.id)) {
    // A call may have run: what is refused for the session's sake is refused to a ping as well.
    return !isRepeatable(asked.method) && (await takesPing(serverClient, session, clock, signal)) ? 'kept' : 'lost';
  }
  const verdict = judgeSession(status, body, asked.id);
  if (verdict !== 'doubtful') return verdict;
  if (!(await knowsSession(serverClient, session, clock, signal))) {
    if (isRepeatable(asked.method)) return 'lost';
    // A fault of the server's own may come after the work; every other refusal comes before it.
    return status === 500 ? 'lost_behind' : 'seems_lost';
  }
  // By the specification a 404 means just that; not every server looks for the session of a ping.
  if (status !== 404 || readEnvelope(body).problem !== 'syntax') return 'kept';
  const again = session.unsure;
  session.unsure = !again;
  return again ? 'lost_behind' : 'kept';
}

/**
 * Before a call is sent again in a new session because a ping found none in the old one: a server that answers every
 * ping like that has said nothing by it, and the call may have run. Throws E_OUTCOME_UNKNOWN then.
 */
export async function confirmLoss(
  { serverClient, clock, server }: FateDeps,
  renewed: SessionHeaders | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (renewed && (await knowsSession(serverClient, renewed, clock, signal))) return;
  throw new AppError(
    'E_OUTCOME_UNKNOWN',
    'The server refused the call as if its session were lost, and refuses new sessions alike.',
    { server },
  );
}
