import { isRepeatable } from '../../shared/mcp-methods.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { errorLine, idAtEnd, invalidRequestCode, type LineError } from '../../shared/json-rpc.ts';
import { bridgeRemedies } from '../../shared/messages/en/bridge-remedies.ts';
import { peekMessage } from './message-peek.ts';
import type { Asked } from './pending-requests.ts';

type OwnCode = keyof typeof bridgeRemedies;

/** What the bridge itself says to the host, about one server. Lines without their end. */
export interface Answers {
  error(code: OwnCode, message: string): LineError;
  /** With what the broker says to do about it. */
  error(code: ErrorCode, message: string, remedy: string): LineError;
  /** To a request that was on its way when the broker, or the host, went away. */
  lost(asked: Asked, who: 'broker' | 'host'): string;
  /**
   * To a line of more than 16 MB; undefined when nobody waits for an answer. `isTaken`: another request has this id.
   */
  tooLong(head: Buffer, tail: Buffer, isTaken: (id: string) => boolean): string | undefined;
  /** Instead of an answer that is too long to be passed on. */
  answerTooLong(head: Buffer, tail: Buffer): string | undefined;
  /** Whether we are there. */
  pong(id: string): string;
  /** The server's request: nobody waits for the host's answer any more. */
  cancelled(id: string): string;
}

export function createAnswers(server: string): Answers {
  const error = (code: ErrorCode, message: string, remedy: string = bridgeRemedies[code as OwnCode]): LineError => ({
    code,
    message,
    remedy,
    server,
  });
  return {
    error,
    lost({ id, method }, who) {
      const what = who === 'broker' ? 'Keybridge ended' : 'The app closed the connection';
      if (!isRepeatable(method))
        return errorLine(id, error('E_OUTCOME_UNKNOWN', `${what} while the call was running.`));
      const message = `${what} before the answer came.`;
      return errorLine(
        id,
        who === 'broker'
          ? error('E_BROKER_DOWN', message, 'Call again in a moment. If that fails, start Keybridge.')
          : error('E_CONNECTION_LOST', message),
      );
    },
    tooLong(head, tail, isTaken) {
      const seen = peekMessage(head, tail);
      if (seen.outcome !== undefined) return undefined;
      const id = seen.id ?? idAtEnd(tail.toString('utf8')) ?? 'null';
      return errorLine(
        isTaken(id) ? 'null' : id,
        error('E_MESSAGE_TOO_LARGE', 'The app sent a message of more than 16 MB.'),
        invalidRequestCode,
      );
    },
    answerTooLong(head, tail) {
      const seen = peekMessage(head, tail);
      if (seen.id === undefined || seen.outcome === undefined) return undefined;
      return errorLine(seen.id, error('E_TOO_LARGE', 'The answer has more than 16 MB.'));
    },
    pong: (id) => `{"jsonrpc":"2.0","id":${id},"result":{}}`,
    cancelled: (id) =>
      `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id},"reason":"Keybridge ended."}}`,
  };
}
