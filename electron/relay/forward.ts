import { AppError, asAppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import type { Envelope } from '../../shared/json-rpc.ts';
import { discard } from './drain.ts';
import { sessionRequestHeaders, statelessHeaders } from './request-headers.ts';
import type { McpSession } from './mcp-session.ts';
import type { ServerClient } from './server-client.ts';
import type { Clock } from '../core/base/clock.ts';

export interface ForwarderDeps {
  readonly serverClient: ServerClient;
  readonly session: Pick<McpSession, 'settled' | 'error' | 'ready'>;
  readonly server: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The host has gone. */
  readonly signal: AbortSignal;
}

/** Sends the host's messages that get no response: notifications, and responses to the server's requests. */
export interface Forwarder {
  /** Resolves when the server has accepted the message, or an error was logged. Never throws. */
  send(line: Buffer, envelope: Envelope): Promise<void>;
}

const timeoutMs = 30_000;

export function createForwarder({ serverClient, session, server, clock, log, signal }: ForwarderDeps): Forwarder {
  async function post(line: Buffer, envelope: Envelope): Promise<void> {
    await session.settled();
    if (session.error && !envelope.stateless) throw session.error;
    const headers = envelope.stateless ? statelessHeaders(envelope) : sessionRequestHeaders(await session.ready());
    const response = await serverClient.request({
      method: 'POST',
      headers,
      body: line,
      timeoutMs,
      signal,
      repeatable: false,
      onChallenge: 'ignore',
    });
    discard(response, clock);
    if (response.status >= 300)
      throw new AppError('E_HTTP_STATUS', `The server answered with status ${response.status}.`, { server });
  }

  return {
    send: (line, envelope) =>
      post(line, envelope).catch((error: unknown) => {
        if (!signal.aborted)
          log('message_not_passed', { server, method: envelope.method ?? 'answer', code: asAppError(error).code });
      }),
  };
}
