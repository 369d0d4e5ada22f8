import { AppError } from '../core/base/errors.ts';
import { createByteBuilder } from '../core/http/byte-builder.ts';
import { createSseLines } from './sse-lines.ts';

// Written by hand, although libraries exist: it passes events on while they arrive, with limits against hostile
// streams. Libraries hold whole events as text.

/** One event of a stream (WHATWG HTML, section 9.2.6). */
export interface SseEvent {
  /**
   * The lines of `data`, joined with LF; undefined for an event that only has an id. May share memory with the chunk.
   */
  readonly data: Buffer | undefined;
  /** The event type; '' if the stream names none. */
  readonly type: string;
}

export interface SseParser {
  /** Returns the events that this chunk completes. Throws E_TOO_LARGE for an event above the limit. */
  push(chunk: Buffer): SseEvent[];
  /** An event has begun and is not complete. */
  readonly hasBegun: boolean;
  /** The event that has begun, as if it ended here, in memory of its own. Undefined if there is none. */
  pending(): SseEvent | undefined;
  /** For `Last-Event-ID`; undefined if the stream had no id. */
  readonly lastEventId: string | undefined;
  /** The reconnection time that the server asked for, in ms. */
  readonly retryMs: number | undefined;
}

const colon = 0x3a;
const space = 0x20;
const newline = Buffer.from('\n');
/** Added to the size of an event for each line, so that millions of empty lines reach the limit. */
const lineCost = 64;
/** Longest line other than `data`. */
const maxFieldBytes = 8 * 1024;
/** `event`, `retry`. */
const longestFieldName = 5;

/** Parses a stream in linear time. An incomplete event at its end is dropped. `maxBytes`: the limit for one event. */
export function createSseParser(maxBytes: number): SseParser {
  const fields = createSseFields();
  let events: SseEvent[] = [];

  const checkSize = (bytes: number) => {
    if (bytes > maxBytes)
      throw new AppError(
        'E_TOO_LARGE',
        `The server sent an event of more than ${Math.floor(maxBytes / 1_048_576)} MB.`,
      );
  };

  const lines = createSseLines({
    onGrowth: (lineBytes) => checkSize(lineBytes + fields.dataBytes),
    onLine(line) {
      const event = line.length === 0 ? fields.endEvent() : fields.addLine(line);
      if (event) events.push(event);
      else checkSize(fields.dataBytes + fields.dataLines * lineCost);
    },
  });

  return {
    push(chunk) {
      events = [];
      lines.push(chunk);
      return events;
    },
    get hasBegun() {
      return fields.dataLines > 0 || lines.pendingBytes > 0;
    },
    pending: () => fields.pending(lines.pending()),
    get lastEventId() {
      return fields.lastEventId;
    },
    get retryMs() {
      return fields.retryMs;
    },
  };
}

/** The fields of the event that is being read, and those that apply to the whole stream. */
function createSseFields() {
  const data = createByteBuilder();
  let dataLines = 0;
  let type = '';
  let hasId = false;
  let lastEventId: string | undefined;
  let retryMs: number | undefined;

  const addField = (name: string, value: string) => {
    if (name === 'event') type = value;
    else if (name === 'id' && !value.includes('\0')) {
      lastEventId = value === '' ? undefined : value;
      hasId = true;
    } else if (name === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value);
  };

  return {
    get dataBytes() {
      return data.bytes;
    },
    get dataLines() {
      return dataLines;
    },
    get lastEventId() {
      return lastEventId;
    },
    get retryMs() {
      return retryMs;
    },
    /** A line that is not empty. */
    addLine(line: Buffer): undefined {
      const colonAt = line.indexOf(colon);
      const nameEnd = colonAt < 0 ? line.length : colonAt;
      if (colonAt === 0 || nameEnd > longestFieldName) return;
      const valueAt = colonAt < 0 ? line.length : line[colonAt + 1] === space ? colonAt + 2 : colonAt + 1;
      const name = line.toString('latin1', 0, nameEnd);
      if (name === 'data') {
        // The reader of the data may write into it, so its first piece must not be the shared newline.
        if (dataLines > 0) data.add(data.bytes === 0 ? Buffer.from(newline) : newline);
        data.add(line.subarray(valueAt));
        dataLines += 1;
      } else if (line.length <= maxFieldBytes) addField(name, line.toString('utf8', valueAt));
    },
    /** An empty line: returns the event if there is one. */
    endEvent(): SseEvent | undefined {
      const event = dataLines > 0 || hasId ? { data: dataLines > 0 ? data.take() : undefined, type } : undefined;
      dataLines = 0;
      type = '';
      hasId = false;
      return event;
    },
    /** `line`: the incomplete last line. */
    pending(line: Buffer): SseEvent | undefined {
      const prefix = /^data: ?/.exec(line.toString('latin1', 0, 6))?.[0];
      if (dataLines === 0 && prefix === undefined) return undefined;
      const pieces = [data.copy()];
      if (prefix !== undefined) pieces.push(...(dataLines > 0 ? [newline] : []), line.subarray(prefix.length));
      return { data: Buffer.concat(pieces), type };
    },
  };
}
