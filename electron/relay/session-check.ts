import { AppError } from '../core/base/errors.ts';
import { readEnvelope } from '../../shared/json-rpc.ts';
import { isRepeatable } from '../../shared/mcp-methods.ts';
import { discard, drain } from './drain.ts';
import type { PendingRequest, ServerRequest } from './model.ts';
import { sessionRequestHeaders, type SessionHeaders } from './request-headers.ts';
import type { ServerClient } from './server-client.ts';
import { isResponseTo, judgeSession, lossStatuses } from './session-verdict.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HttpHead } from '../core/http/http.ts';

/** What is known about the session after a response. */
export type SessionStatus =
  | 'kept'
  /** The request did not run, or may run twice. */
  | 'lost'
  /** A ping says so too, but the request may have run: see `confirmLoss`. */
  | 'probably_lost'
  /** The response belongs to the request; the next request needs a new session. */
  | 'lost_afterwards';

export interface SessionCheckDeps {
  readonly serverClient: ServerClient;
  readonly clock: Clock;
  readonly server: string;
}

/** A response to a request that was sent in a session. */
export interface SessionResponse {
  readonly request: PendingRequest;
  readonly session: SessionHeaders;
  readonly status: number;
  readonly body: Buffer;
  readonly signal: AbortSignal;
}

/** Finds out whether the server still knows the session, by a ping if the response leaves that open. Never throws. */
export async function checkSession(
  deps: SessionCheckDeps,
  { request: { envelope }, session, status, body, signal }: SessionResponse,
): Promise<SessionStatus> {
  const repeatable = isRepeatable(envelope.method);
  // After a sign-in as another user, servers refuse the old session with one of these.
  if (session.suspect && [400, 401, 403].includes(status) && !isResponseTo(body, envelope.id)) {
    // A call may have run. If the session is the reason for the refusal, a ping is refused as well.
    return !repeatable && (await isPingAccepted(deps, session, signal)) ? 'kept' : 'lost';
  }
  const verdict = judgeSession(status, body, envelope.id);
  if (verdict !== 'doubtful') return verdict;
  if (!(await isSessionKnown(deps, session, signal))) {
    if (repeatable) return 'lost';
    // A 500 may follow the work; every other refusal precedes it.
    return status === 500 ? 'lost_afterwards' : 'probably_lost';
  }
  // By the specification a 404 means a lost session, but not every server checks the session of a ping. So the second
  // 404 in a row counts.
  if (status !== 404 || readEnvelope(body).problem !== 'syntax') return 'kept';
  const isSecond = session.unsure;
  session.unsure = !isSecond;
  return isSecond ? 'lost_afterwards' : 'kept';
}

/**
 * For a call that is about to be sent again in a new session because a ping failed in the old one. If the server
 * rejects pings in the new session as well, the ping proved nothing, and the call may have run: throws
 * E_OUTCOME_UNKNOWN.
 */
export async function confirmLoss(
  deps: SessionCheckDeps,
  renewed: SessionHeaders | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (renewed && (await isSessionKnown(deps, renewed, signal))) return;
  throw new AppError(
    'E_OUTCOME_UNKNOWN',
    'The server refused the call as if its session were lost, and refuses new sessions alike.',
    { server: deps.server },
  );
}

const pingTimeoutMs = 5_000;
const pingId = '"keybridge-session-probe"';

const ping = (session: SessionHeaders, signal: AbortSignal): ServerRequest => ({
  method: 'POST',
  headers: sessionRequestHeaders(session),
  body: Buffer.from(`{"jsonrpc":"2.0","id":${pingId},"method":"ping"}`),
  timeoutMs: pingTimeoutMs,
  signal,
  repeatable: false,
  onChallenge: 'ignore',
});

async function isPingAccepted(
  { serverClient, clock }: SessionCheckDeps,
  session: SessionHeaders,
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

/** True also when the ping gets no response. */
async function isSessionKnown(
  { serverClient, clock }: SessionCheckDeps,
  session: SessionHeaders,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const stream = await serverClient.request(ping(session, signal));
    if (!lossStatuses.has(stream.status) && !(stream.status === 200 && isJson(stream))) {
      discard(stream, clock);
      return true;
    }
    return judgeSession(stream.status, await drain(stream, clock), pingId) === 'kept';
  } catch {
    return true;
  }
}

const isJson = ({ headers }: HttpHead): boolean => /^application\/json\b/i.test(headers['content-type'] ?? '');
