import { idAtEnd } from '../../shared/json-rpc.ts';
import { eachMember, fail, rawText, skipSpace, skipValue, textOf, type Cursor } from '../../shared/json-scan.ts';

/** What the bridge needs to know of a message. */
export interface MessagePeek {
  /** As JSON, exactly as in the message. */
  id: string | undefined;
  method: string | undefined;
  /** Set if the message is a response. */
  outcome: 'result' | 'error' | undefined;
  batch: boolean;
}

/** An id that is the last member of a message lies within this many bytes of its end. */
const endBytes = 256;

/**
 * Reads no more of a line than necessary: it skips the large members (params, result) if id and method come before them
 * or at the very end, as in the messages of every known host and server. It validates nothing; the broker does.
 * `end`: the last bytes of the message, if `line` is only its beginning.
 */
export function peekMessage(line: Buffer, end: Buffer = line): MessagePeek {
  const cursor: Cursor = { bytes: line, at: 0, fault: undefined };
  const peek: MessagePeek = { id: undefined, method: undefined, outcome: undefined, batch: false };
  const first = skipSpace(cursor);
  peek.batch = first === 0x5b;
  if (first !== 0x7b) return peek;
  eachMember(cursor, (key) => {
    const start = cursor.at;
    if (key === 'result' || key === 'error') peek.outcome = key;
    if (key === 'result' || key === 'error' || key === 'params')
      peek.id ??= idAtEnd(end.toString('utf8', Math.max(0, end.length - endBytes)));
    // Everything needed was found. `fail` is only used to stop the scan.
    if (peek.id !== undefined && (peek.method !== undefined || peek.outcome !== undefined)) return fail(cursor);
    skipValue(cursor);
    if (cursor.fault || (end !== line && cursor.at === line.length)) return;
    if (key === 'id') peek.id = rawText(line, start, cursor.at);
    else if (key === 'method') peek.method = textOf(line, start, cursor.at);
  });
  return peek;
}

/** Whether the message gets a response: with `"id": null` it cannot. */
export const isRequest = ({ id, method }: MessagePeek): boolean =>
  method !== undefined && id !== undefined && id !== 'null';
