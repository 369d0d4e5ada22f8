/** The host's messages that wait for a broker, in order. */
export interface MessageQueue {
  readonly bytes: number;
  readonly isEmpty: boolean;
  add(line: Buffer): void;
  addFirst(line: Buffer): void;
  /** Returns all messages and empties the queue. */
  takeAll(): Buffer[];
}

export function createMessageQueue(): MessageQueue {
  let lines: Buffer[] = [];
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    get isEmpty() {
      return lines.length === 0;
    },
    add(line) {
      lines.push(line);
      bytes += line.length;
    },
    addFirst(line) {
      lines.unshift(line);
      bytes += line.length;
    },
    takeAll() {
      const all = lines;
      lines = [];
      bytes = 0;
      return all;
    },
  };
}
