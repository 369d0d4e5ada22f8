import type { Connection } from '../core/app/connections.ts';
import { createPauses } from '../core/base/async.ts';
import type { Clock } from '../core/base/clock.ts';
import { AppError, asAppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import type { Http } from '../core/http/http.ts';
import { batchItems, errorLine, readEnvelope, type Envelope } from '../../shared/json-rpc.ts';
import { createForwarder } from './forward.ts';
import type { HostLink } from './host-link.ts';
import {
  badBatchResponse,
  badMessageResponse,
  invalidMessageResponse,
  readHostMessage,
  tooLongResponse,
} from './invalid-messages.ts';
import { createMcpSession } from './mcp-session.ts';
import type { PendingRequest, ResponseHandler } from './model.ts';
import { createNotificationStream } from './notification-stream.ts';
import { readHostInfo } from './offline-responses.ts';
import { createRunningCalls, type Call } from './running-calls.ts';
import { createSecretRedaction, learningToken } from './secret-redaction.ts';
import { createServerClient } from './server-client.ts';
import { createSessionCalls } from './session-calls.ts';
import { runStateless } from './stateless-calls.ts';
import { createToolHeaders } from './tool-header-params.ts';

export interface RelayDeps {
  readonly connection: Connection;
  readonly http: Http;
  readonly log: Log;
  readonly clock: Clock;
  /** The app's version, for the `serverInfo` of a local response. */
  readonly version: string;
  readonly host: HostLink;
}

/** The BRIDGE PATH: passes messages between one host and one MCP server. */
export interface Relay {
  /** Takes one line of the host. */
  receive(line: Buffer): void;
  /** Takes a line of more than 16 MB, of which only the beginning and the end are there. */
  tooLong(head: Buffer, tail: Buffer): void;
  /** Whether calls are running. */
  readonly busy: boolean;
  /** The host has gone: aborts all calls and streams, and then ends the session at the server. */
  close(): Promise<void>;
}

/**
 * Each line of the host takes one of three ways: a request becomes a call of its protocol generation (session-calls.ts,
 * stateless-calls.ts), notifications and responses are forwarded (forward.ts), and the rest gets an error.
 */
export function createRelay(relayDeps: RelayDeps): Relay {
  const { connection, log } = relayDeps;
  const server = connection.server.name;
  const parts = createRelayParts(relayDeps);
  const { host, calls, session, stream, sessionCalls, nameHost, ended } = parts;
  let removed: AppError | undefined;

  connection.onRemoved(() => {
    removed = new AppError('E_SERVER_UNKNOWN', `${server} was removed from Keybridge.`, { server });
    stream.stop();
    calls.abortAll();
  });

  function receive(line: Buffer): void {
    const envelope = readHostMessage(line);
    if (envelope.kind !== 'batch') return receiveOne(line, envelope);
    const items = batchItems(line);
    if (items && items.length > 0) for (const item of items) receiveOne(item, readEnvelope(item));
    else host.send(badBatchResponse(items));
  }

  function receiveOne(line: Buffer, envelope: Envelope): void {
    const { kind } = envelope;
    if (kind === 'request') startCall({ line, envelope: envelope as PendingRequest['envelope'] });
    else if (kind !== 'notification' && kind !== 'response')
      host.send(invalidMessageResponse(envelope, (id) => calls.has(id)));
    else if (!removed) forward(line, envelope);
  }

  function startCall(request: PendingRequest): void {
    const { id } = request.envelope;
    if (calls.has(id)) return host.send(badMessageResponse(id, 'used the id of a call that is still running'));
    calls.start(request, (call) => run(call).catch((error: unknown) => fail(call, error)));
  }

  async function run(call: Call): Promise<void> {
    if (removed) throw removed;
    nameHost(call.request);
    const { method, stateless } = call.request.envelope;
    if (stateless || method === 'server/discover') return runStateless(parts, call);
    return method === 'initialize' ? sessionCalls.initialize(call) : sessionCalls.run(call);
  }

  function fail(call: Call, error: unknown): void {
    if (call.cancelled || ended.signal.aborted) return;
    const { id, method } = call.request.envelope;
    const reported = removed ?? asAppError(error, server);
    log('call_failed', { server, method, code: reported.code });
    calls.respond(call, errorLine(id, reported.toInfo()));
  }

  /** A notification or a response. */
  function forward(line: Buffer, envelope: Envelope): void {
    const { method, cancels = '', stateless } = envelope;
    const cancelled = method === 'notifications/cancelled' ? calls.get(cancels) : undefined;
    if (cancelled) calls.cancel(cancelled, () => parts.forwarder.send(line, envelope));
    else if (method === 'notifications/initialized' && !stateless) session.initialized(line);
    else void parts.forwarder.send(line, envelope);
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
      calls.abortAll();
      const sessionEnded = session.close();
      connection.close();
      await sessionEnded;
    },
  };
}

/** What the ways of a message share, from the bottom up. */
function createRelayParts({ connection, http, log, clock, version, host: link }: RelayDeps) {
  const server = connection.server.name;
  const redaction = createSecretRedaction(log, server);
  const host: HostLink = { ...link, send: (line) => link.send(redaction.clean(line)) };
  const serverClient = createServerClient({ connection: learningToken(connection, redaction), http, log, clock });
  const ended = new AbortController();
  const calls = createRunningCalls(host, clock);

  const deps = { serverClient, server, clock, log, toolHeaders: createToolHeaders(log, server) };
  const stream = createNotificationStream({
    ...deps,
    onMessage: (line) => host.send(line),
    drained: () => host.drained(),
  });
  const session = createMcpSession({ ...deps, connection, stream, send: (line) => host.send(line) });
  const pauses = createPauses(clock);
  connection.onSignedIn(() => pauses.hurry());
  connection.onWake(() => pauses.hurry());

  const handlerFor = (call: Call): ResponseHandler => ({
    onResponse(line) {
      connection.answered();
      calls.respond(call, line);
    },
    onServerMessage(line, envelope) {
      // MCP 2026-07-28 has no requests of the server, and its hosts cannot respond to one.
      if (envelope.kind === 'request' && call.request.envelope.stateless) log('server_request_dropped', { server });
      else host.send(line);
    },
    drained: () => host.drained(),
  });
  const sessionCalls = createSessionCalls({ ...deps, session, calls, handlerFor, version });
  const forwarder = createForwarder({ ...deps, session, signal: ended.signal });
  const nameHost = hostNaming(connection);
  return { ...deps, host, ended, calls, pauses, stream, session, handlerFor, sessionCalls, nameHost, forwarder };
}

/** Tells the core once how the host names itself: in `initialize`, or in any stateless message. */
function hostNaming(connection: Connection): (request: PendingRequest) => void {
  let isNamed = false;
  return ({ line, envelope: { method, stateless } }) => {
    if (isNamed || (method !== 'initialize' && !stateless)) return;
    isNamed = true;
    connection.setHost(readHostInfo(line).client);
  };
}
