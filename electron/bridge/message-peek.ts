import { idAtEnd } from '../../shared/json-rpc.ts';
import { eachMember, fail, rawText, skipSpace, skipValue, textOf, type Cursor } from '../../shared/json-scan.ts';

/** What the bridge has to know of one message: whom it asks or answers. */
export interface MessagePeek {
  /** As it stands in the text. */
  id: string | undefined;
  method: string | undefined;
  /** Set in an answer. */
  outcome: 'result' | 'error' | undefined;
  batch: boolean;
}

/** The id of a message whose members end with it stands in these last bytes. */
const endBytes = 256;

/**
 * Reads no more of a line than it must: the large members (params, result) are passed over where id and method stand
 * before them or at the very end, as every known host and server writes them. It judges nothing; the broker does.
 * `end`: the last bytes, where `line` is only the beginning.
 */
export function peekMessage(line: Buffer, end: Buffer = line): MessagePeek {
  const cursor: Cursor = { bytes: line, at: 0, fault: undefined };
  const seen: MessagePeek = { id: undefined, method: undefined, outcome: undefined, batch: false };
  const first = skipSpace(cursor);
  seen.batch = first === 0x5b;
  if (first !== 0x7b) return seen;
  eachMember(cursor, (key) => {
    const start = cursor.at;
    if (key === 'result' || key === 'error') seen.outcome = key;
    if (key === 'result' || key === 'error' || key === 'params')
      seen.id ??= idAtEnd(end.toString('utf8', Math.max(0, end.length - endBytes)));
    // A fault is how the reading ends early.
    if (seen.id !== undefined && (seen.method !== undefined || seen.outcome !== undefined)) return fail(cursor);
    skipValue(cursor);
    if (cursor.fault || (end !== line && cursor.at === line.length)) return;
    if (key === 'id') seen.id = rawText(line, start, cursor.at);
    else if (key === 'method') seen.method = textOf(line, start, cursor.at);
  });
  return seen;
}

/** A request that can be answered: `"id": null` cannot. */
export const isRequest = ({ id, method }: MessagePeek): boolean =>
  method !== undefined && id !== undefined && id !== 'null';
