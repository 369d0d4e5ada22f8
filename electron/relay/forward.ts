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

/** The host's messages that nobody waits for: notifications, and answers to the server's requests. */
export interface Forwarder {
  /** Resolves when the server has taken it or it is given up, which is logged. Never throws. */
  send(line: Buffer, found: Envelope): Promise<void>;
}

const timeoutMs = 30_000;

export function createForwarder({ serverClient, session, server, clock, log, signal }: ForwarderDeps): Forwarder {
  async function post(line: Buffer, found: Envelope): Promise<void> {
    await session.settled();
    if (session.error && !found.stateless) throw session.error;
    const current = found.stateless ? undefined : await session.ready();
    const headers = found.stateless ? statelessHeaders(found) : sessionRequestHeaders(current);
    const answered = await serverClient.request({
      method: 'POST',
      headers,
      body: line,
      timeoutMs,
      signal,
      repeatable: false,
      onChallenge: 'quiet',
    });
    discard(answered, clock);
    if (answered.status >= 300)
      throw new AppError('E_HTTP_STATUS', `The server answered with status ${answered.status}.`, { server });
  }

  return {
    send: (line, found) =>
      post(line, found).catch((error: unknown) => {
        if (!signal.aborted)
          log('message_not_passed', { server, method: found.method ?? 'answer', code: asAppError(error).code });
      }),
  };
}
