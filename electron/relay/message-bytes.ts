import type { Envelope } from '../../shared/json-rpc.ts';

/** Without the UTF-8 byte order mark, which hosts do not accept inside a line. */
export const withoutByteOrderMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;

/** The message with this id; all other bytes are unchanged. */
export function withId(bytes: Buffer, envelope: Envelope, id: string): Buffer {
  if (envelope.id === id) return bytes;
  if (envelope.idAt)
    return Buffer.concat([bytes.subarray(0, envelope.idAt[0]), Buffer.from(id), bytes.subarray(envelope.idAt[1])]);
  const brace = bytes.indexOf(0x7b) + 1;
  return Buffer.concat([bytes.subarray(0, brace), Buffer.from(`"id":${id},`), bytes.subarray(brace)]);
}

/** Replaces CR and LF by spaces, in place. In valid JSON they are insignificant: strings contain neither. */
export function oneLine(bytes: Buffer): Buffer {
  const [lf, cr] = [bytes.indexOf(0x0a), bytes.indexOf(0x0d)];
  if (lf < 0 && cr < 0) return bytes;
  for (let at = lf < 0 || cr < 0 ? Math.max(lf, cr) : Math.min(lf, cr); at < bytes.length; at += 1)
    if (bytes[at] === 0x0a || bytes[at] === 0x0d) bytes[at] = 0x20;
  return bytes;
}
