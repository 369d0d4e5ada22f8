import { isRepeatable } from '../../shared/mcp-methods.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { errorLine, idAtEnd, invalidRequestCode, type LineError } from '../../shared/json-rpc.ts';
import { bridgeRemedies } from '../../shared/messages/en/bridge-remedies.ts';
import { peekMessage } from './message-peek.ts';
import type { HostRequest } from './pending-requests.ts';

/** The messages to the host that the bridge itself writes. Each is one line without its end. */
export interface LocalResponses {
  /** To a request that was pending when the broker or the host closed the connection. */
  lost(request: HostRequest, closedBy: 'broker' | 'host'): string;
  /**
   * To a message of more than 16 MB, of which only the ends are left; undefined if it is a response. `isPending` tells
   * whether another request has this id.
   */
  requestTooLarge(head: Buffer, tail: Buffer, isPending: (id: string) => boolean): string | undefined;
  /** In place of a response of more than 16 MB; undefined if the message is not a response. */
  responseTooLarge(head: Buffer, tail: Buffer): string | undefined;
  /** To a `ping`. */
  pong(id: string): string;
  /** `notifications/cancelled` for a request of the server that came through a lost broker. */
  cancelled(id: string): string;
}

export function createLocalResponses(server: string): LocalResponses {
  const error = (
    code: ErrorCode & keyof typeof bridgeRemedies,
    message: string,
    remedy: string = bridgeRemedies[code],
  ): LineError => ({ code, message, remedy, server });
  return {
    lost({ id, method }, closedBy) {
      const what = closedBy === 'broker' ? 'Keybridge ended' : 'The app closed the connection';
      if (!isRepeatable(method))
        return errorLine(id, error('E_OUTCOME_UNKNOWN', `${what} while the call was running.`));
      const message = `${what} before the response arrived.`;
      return errorLine(
        id,
        closedBy === 'broker'
          ? error('E_BROKER_DOWN', message, 'Call again in a moment. If that fails, start Keybridge.')
          : error('E_CONNECTION_LOST', message),
      );
    },
    requestTooLarge(head, tail, isPending) {
      const message = peekMessage(head, tail);
      if (message.outcome !== undefined) return undefined;
      const id = message.id ?? idAtEnd(tail.toString('utf8')) ?? 'null';
      return errorLine(
        isPending(id) ? 'null' : id,
        error('E_MESSAGE_TOO_LARGE', 'The app sent a message of more than 16 MB.'),
        invalidRequestCode,
      );
    },
    responseTooLarge(head, tail) {
      const message = peekMessage(head, tail);
      if (message.id === undefined || message.outcome === undefined) return undefined;
      return errorLine(message.id, error('E_TOO_LARGE', 'The response is larger than 16 MB.'));
    },
    pong: (id) => `{"jsonrpc":"2.0","id":${id},"result":{}}`,
    cancelled: (id) =>
      `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id},"reason":"Keybridge ended."}}`,
  };
}
