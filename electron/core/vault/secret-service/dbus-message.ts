/**
 * The part of the D-Bus wire format that the Secret Service client needs (D-Bus Specification, "Message Protocol"):
 * method calls with string arguments, and replies of strings, numbers, booleans, string lists and variants of these.
 * Written by hand because a single question is asked (is the keyring locked), and D-Bus libraries are native or large.
 */

const methodCall = 1;
export const methodReturn = 2;
export const errorReply = 3;

/** No reply to our calls is larger. */
const maxMessageBytes = 256 * 1024;

export interface DbusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly args: readonly string[];
}

export interface DbusMessage {
  readonly type: number;
  /** Serial of the call that this message replies to. */
  readonly replyTo: number | undefined;
  readonly sender: string | undefined;
  readonly errorName: string | undefined;
  readonly body: readonly unknown[];
}

/** Encodes a method call, little-endian. `serial` must not be 0. */
export function encodeCall(call: DbusCall, serial: number): Buffer {
  const body = createWriter();
  for (const arg of call.args) body.string(arg);
  const fields = createWriter();
  const field = (code: number, signature: 'o' | 's' | 'g', value: string): void => {
    fields.align(8);
    fields.byte(code);
    fields.signature(signature);
    if (signature === 'g') fields.signature(value);
    else fields.string(value);
  };
  field(1, 'o', call.path);
  field(2, 's', call.interface);
  field(3, 's', call.member);
  field(6, 's', call.destination);
  if (call.args.length > 0) field(8, 'g', 's'.repeat(call.args.length));

  const bodyBytes = body.bytes();
  const fieldBytes = fields.bytes();
  const head = Buffer.alloc(16);
  head.set([0x6c, methodCall, 0, 1]);
  head.writeUInt32LE(bodyBytes.length, 4);
  head.writeUInt32LE(serial, 8);
  head.writeUInt32LE(fieldBytes.length, 12);
  const gap = Buffer.alloc(padding(head.length + fieldBytes.length, 8));
  return Buffer.concat([head, fieldBytes, gap, bodyBytes]);
}

/** Returns the length of the message that starts here, or undefined if more bytes are needed. Throws RangeError. */
export function messageLength(bytes: Buffer): number | undefined {
  if (bytes.length < 16) return undefined;
  const little = bytes[0] === 0x6c;
  const u32 = (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const head = 16 + u32(12);
  const length = head + padding(head, 8) + u32(4);
  if (length > maxMessageBytes) throw new RangeError('D-Bus message too long');
  return length;
}

/** Decodes one complete message. Throws RangeError if it is malformed. */
export function decodeMessage(bytes: Buffer): DbusMessage {
  const reader = createReader(bytes, bytes[0] === 0x6c);
  const type = bytes[1] ?? 0;
  reader.skip(12);
  const fields = new Map<number, unknown>();
  const fieldsEnd = reader.u32() + reader.position();
  while (reader.position() < fieldsEnd) {
    reader.align(8);
    const code = reader.byte();
    fields.set(code, reader.variant());
  }
  reader.align(8);
  const signature = fields.get(8);
  const body = typeof signature === 'string' ? reader.values(signature) : [];
  const text = (code: number): string | undefined =>
    typeof fields.get(code) === 'string' ? String(fields.get(code)) : undefined;
  const replyTo = fields.get(5);
  return {
    type,
    replyTo: typeof replyTo === 'number' ? replyTo : undefined,
    sender: text(7),
    errorName: text(4),
    body,
  };
}

const padding = (length: number, boundary: number): number => (boundary - (length % boundary)) % boundary;

function createWriter() {
  const chunks: Buffer[] = [];
  let length = 0;
  const put = (chunk: Buffer): void => {
    chunks.push(chunk);
    length += chunk.length;
  };
  const writer = {
    align: (boundary: number) => put(Buffer.alloc(padding(length, boundary))),
    byte: (value: number) => put(Buffer.of(value)),
    string: (value: string) => {
      writer.align(4);
      const text = Buffer.from(`${value}\0`);
      const size = Buffer.alloc(4);
      size.writeUInt32LE(text.length - 1);
      put(size);
      put(text);
    },
    signature: (value: string) => put(Buffer.from([value.length, ...Buffer.from(value), 0])),
    bytes: () => Buffer.concat(chunks),
  };
  return writer;
}

function createReader(bytes: Buffer, little: boolean) {
  let at = 0;
  const take = (count: number): number => {
    const start = at;
    at += count;
    if (at > bytes.length) throw new RangeError('D-Bus message is truncated');
    return start;
  };
  const text = (length: number): string => {
    const start = take(length + 1);
    return bytes.toString('utf8', start, start + length);
  };
  const reader = {
    position: () => at,
    skip: take,
    align: (boundary: number): void => void take(padding(at, boundary)),
    byte: (): number => bytes[take(1)] ?? 0,
    u32: (): number => {
      reader.align(4);
      const start = take(4);
      return little ? bytes.readUInt32LE(start) : bytes.readUInt32BE(start);
    },
    signature: (): string => text(reader.byte()),
    variant: (): unknown => reader.values(reader.signature())[0],
    /** Reads the values of a signature, up to the first type that none of our calls returns. */
    values: (signature: string): unknown[] => {
      const values: unknown[] = [];
      for (let index = 0; index < signature.length; index += 1) {
        const type = signature.slice(index, index + 2) === 'as' ? 'as' : signature.charAt(index);
        index += type.length - 1;
        if (type === 's' || type === 'o') values.push(text(reader.u32()));
        else if (type === 'g') values.push(reader.signature());
        else if (type === 'u' || type === 'i') values.push(reader.u32());
        else if (type === 'b') values.push(reader.u32() === 1);
        else if (type === 'y') values.push(reader.byte());
        else if (type === 'v') values.push(reader.variant());
        else if (type === 'as') values.push(strings());
        else return values;
      }
      return values;
    },
  };
  function strings(): string[] {
    const end = reader.u32() + reader.position();
    const list: string[] = [];
    while (reader.position() < end) list.push(text(reader.u32()));
    return list;
  }
  return reader;
}
