import type { Connection } from '../core/app/connections.ts';
import { AppError, asAppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { batchItems, readEnvelope, errorLine, maxBatchItems, type Envelope } from '../../shared/json-rpc.ts';
import type { PendingRequest, ResponseHandler } from './response.ts';
import { sendRequest } from './request.ts';
import type { HostLink } from './host-link.ts';
import { listen } from './subscriptions.ts';
import {
  offlineResponse,
  readHostInfo,
  isListMethod,
  offlineInitializeResponse,
  unofferedListResponse,
} from './offline-responses.ts';
import { createForwarder } from './forward.ts';
import { createNotificationStream } from './notification-stream.ts';
import { confirmLoss } from './session-loss.ts';
import { createMcpSession } from './mcp-session.ts';
import { badMessageResponse, readHostMessage, invalidMessageResponse, tooLongResponse } from './invalid-messages.ts';
import { createSecretRedaction, learnedToken } from './secret-redaction.ts';
import { createToolHeaders } from './tool-header-params.ts';
import { createServerClient } from './server-client.ts';
import { createPauses, orAborted, within } from '../core/base/async.ts';
import { msSince, type Clock } from '../core/base/clock.ts';
import type { Http } from '../core/http/http.ts';

export interface RelayDeps {
  readonly connection: Connection;
  readonly http: Http;
  readonly log: Log;
  readonly clock: Clock;
  /** The app's version, for the `serverInfo` of a local answer. */
  readonly version: string;
  readonly host: HostLink;
}

/** The BRIDGE PATH: one host, one MCP server, message by message. */
export interface Relay {
  /** One line of the host. */
  receive(line: Buffer): void;
  /** A line of more than 16 MB, of which only the ends are there. */
  tooLong(head: Buffer, tail: Buffer): void;
  /** Calls are running. */
  readonly busy: boolean;
  /** The host has gone: ends every call and stream now, and then the session at the server. */
  close(): Promise<void>;
}

/** A request of the host that is not answered yet. */
interface Call {
  readonly request: PendingRequest;
  readonly abort: AbortController;
  /** The server has begun to answer. */
  begun: boolean;
  /** The host wants no answer any more. */
  cancelled: boolean;
  /** It waits until the user has decided about more access; the server does not know of it. */
  held: boolean;
}

/** Longest wait of a call before it is sent, in ms, for session and token together. */
const mostWaitMs = 20_000;
/** How long a server may still answer a call that was cancelled at it. */
const cancelGraceMs = 1_000;
/** How long it may take to tell it so. */
const cancelTellMs = 3_000;

export function createRelay({ connection, http, log, clock, version, host: link }: RelayDeps): Relay {
  const server = connection.server.name;
  const removal = createSecretRedaction(log, server);
  const host: HostLink = { ...link, send: (line) => link.send(removal.clean(line)) };
  const serverClient = createServerClient({
    connection: { ...connection, accessToken: (options) => learnedToken(connection, removal, options) },
    http,
    log,
    clock,
  });
  const deps = { serverClient, server, clock, log, toolHeaders: createToolHeaders(log, server) };
  const calls = new Map<string, Call>();
  const ended = new AbortController();
  const pauses = createPauses(clock);
  let named = false;
  let removed: AppError | undefined;
  let load = 0;

  const stream = createNotificationStream({
    ...deps,
    onMessage: (line) => host.send(line),
    drained: () => host.drained(),
  });
  const session = createMcpSession({ ...deps, connection, stream, tell: (line) => host.send(line) });
  const oneWay = createForwarder({ ...deps, session, signal: ended.signal });

  connection.onSignedIn(() => pauses.hurry());
  connection.onWake(() => pauses.hurry());
  connection.onRemoved(() => {
    removed = new AppError('E_SERVER_UNKNOWN', `${server} was removed from Keybridge.`, { server });
    stream.stop();
    for (const call of calls.values()) call.abort.abort();
  });

  function receive(line: Buffer): void {
    const found = readHostMessage(line);
    if (found.kind !== 'batch') return receiveOne(line, found);
    const items = batchItems(line);
    if (!items || items.length === 0)
      return host.send(
        badMessageResponse(
          'null',
          items ? 'sent an empty batch' : `sent a batch of more than ${maxBatchItems} messages`,
        ),
      );
    for (const item of items) receiveOne(item, readEnvelope(item));
  }

  function receiveOne(line: Buffer, found: Envelope): void {
    if (found.kind === 'request') called(line, found as PendingRequest['envelope']);
    else if (found.kind === 'notification') notified(line, found);
    else if (found.kind === 'response') forward(line, found);
    else host.send(invalidMessageResponse(found, (id) => calls.has(id)));
  }

  function called(line: Buffer, found: PendingRequest['envelope']): void {
    const { id } = found;
    if (calls.has(id)) return host.send(badMessageResponse(id, 'used the id of a call that is still running'));
    const call: Call = {
      request: { line, envelope: found },
      abort: new AbortController(),
      begun: false,
      cancelled: false,
      held: false,
    };
    calls.set(id, call);
    count(line.length);
    void run(call)
      .catch((error: unknown) => fail(call, error))
      .finally(() => {
        if (calls.get(id) === call) calls.delete(id);
        if (!call.begun) count(-line.length);
        if (calls.size === 0) host.onIdle();
      });
  }

  function count(bytes: number): void {
    load += bytes;
    host.onLoad(load);
  }

  function fail(call: Call, error: unknown): void {
    if (call.cancelled || ended.signal.aborted) return;
    const { id, method } = call.request.envelope;
    const shown = removed ?? asAppError(error, server);
    log('call_failed', { server, method, code: shown.code });
    if (calls.get(id) === call) host.send(errorLine(id, shown.toInfo()));
  }

  /** One request, from the host's line to its answer. */
  async function run(call: Call): Promise<void> {
    const { envelope: asked } = call.request;
    if (removed) throw removed;
    name(call.request);
    if (asked.method === 'initialize' && !asked.stateless) return initialize(call);
    if (asked.stateless || asked.method === 'server/discover') return askStateless(call);

    const since = clock.monotonic();
    await session.settled();
    if (isListMethod(asked.method)) await session.tryReopen(call.abort.signal);
    const local = session.error ? offlineResponse(asked.id, asked.method) : undefined;
    if (local !== undefined) return answer(call, local);
    for (let again = false; ; again = true) {
      const current = await orAborted(session.ready(), call.abort.signal);
      const empty = session.answeredLocally
        ? unofferedListResponse(asked.id, asked.method, session.capabilities)
        : undefined;
      if (empty !== undefined) return answer(call, empty);
      const onHold = (held: boolean) => void (call.held = held);
      // What was spent on waiting for the session is not waited for a token once more.
      const tokenWaitMs = Math.max(0, mostWaitMs - msSince(clock, since));
      const onSessionLost = () => void (current && session.renew(current).catch(() => {}));
      const options = {
        session: current,
        signal: call.abort.signal,
        onChallenge: 'ask',
        onHead: () => arrived(call),
        onHold,
        onSessionLost,
        tokenWaitMs,
      } as const;
      const outcome = await sendRequest(deps, call.request, handlerFor(call), options);
      if (outcome === 'answered') return session.remember(call.request);
      if (again || !current)
        throw new AppError('E_SERVER_ANSWER', 'The server forgets its sessions at once.', { server });
      await orAborted(session.renew(current), call.abort.signal);
      if (outcome === 'session_seems_lost') await confirmLoss(deps, await session.ready(), call.abort.signal);
    }
  }

  /** Answered by the server, or by us while there is no way to it: a host drops a server whose `initialize` fails. */
  async function initialize(call: Call): Promise<void> {
    const { line, envelope: asked } = call.request;
    try {
      answer(call, await session.open({ line: Buffer.from(line), envelope: asked }, call.abort.signal));
    } catch (error) {
      if (!session.error) throw error;
      log('initialize_answered_locally', { server, code: session.error.code });
      answer(call, offlineInitializeResponse(asked.id, readHostInfo(line), server, version, session.error));
    }
  }

  /** A request of 2026-07-28: it needs no session. */
  async function askStateless(call: Call): Promise<void> {
    const { method } = call.request.envelope;
    const options = {
      session: undefined,
      signal: call.abort.signal,
      onChallenge: 'ask',
      onHead: () => arrived(call),
    } as const;
    if (method === 'subscriptions/listen') await listen({ ...deps, pauses }, call.request, handlerFor(call), options);
    else await sendRequest(deps, call.request, handlerFor(call), options);
  }

  const handlerFor = (call: Call): ResponseHandler => ({
    onResponse(line) {
      connection.answered();
      answer(call, line);
    },
    onServerMessage(line, found) {
      // 2026-07-28 has no requests of the server; a host of that generation could not answer one.
      if (found.kind === 'request' && call.request.envelope.stateless) log('server_request_dropped', { server });
      else host.send(line);
    },
    drained: () => host.drained(),
  });

  function answer(call: Call, line: Buffer | string): void {
    const { id } = call.request.envelope;
    if (calls.get(id) !== call) return;
    calls.delete(id);
    host.send(line);
  }

  function arrived(call: Call): void {
    if (call.begun) return;
    call.begun = true;
    count(-call.request.line.length);
  }

  /** The host's own name, once, for the status. */
  function name({ line, envelope: asked }: PendingRequest): void {
    if (named || (asked.method !== 'initialize' && !asked.stateless)) return;
    named = true;
    connection.setHost(readHostInfo(line).client);
  }

  function notified(line: Buffer, found: Envelope): void {
    if (removed) return;
    if (found.method === 'notifications/initialized' && !found.stateless) session.initialized(line);
    else if (found.method === 'notifications/cancelled') cancelled(line, found);
    else forward(line, found);
  }

  /** 2026-07-28: the stream is closed. Before: the server is told, and the call ends a little later. */
  function cancelled(line: Buffer, found: Envelope): void {
    const call = calls.get(found.cancels ?? '');
    if (!call) return forward(line, found);
    call.cancelled = true;
    if (call.request.envelope.stateless || call.held) return call.abort.abort();
    const end = () => void clock.after(cancelGraceMs, () => call.abort.abort());
    // A server that does not answer a notification must not keep the call.
    void within(clock, cancelTellMs, oneWay.send(line, found)).then(end);
  }

  /** Notifications, and answers to the server's requests: nobody waits for what becomes of them. */
  function forward(line: Buffer, found: Envelope): void {
    if (!removed) void oneWay.send(line, found);
  }

  return {
    receive,
    tooLong(head, tail) {
      log('message_too_long', { server });
      const line = tooLongResponse(head, tail, server, (id) => calls.has(id));
      if (line !== undefined) host.send(line);
    },
    get busy() {
      return calls.size > 0;
    },
    async close() {
      if (ended.signal.aborted) return;
      ended.abort();
      for (const call of calls.values()) call.abort.abort();
      const bye = session.close();
      connection.close();
      await bye;
    },
  };
}
