import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { logEvents, type LogEvent } from '../core/base/log-events.ts';

export interface LogFile {
  /** Appends one line. Never throws: a full disk must not stop the work. */
  write(line: string): void;
  close(): void;
}

export interface LogFileLimits {
  readonly maxBytes: number;
  /** How many files are kept: `keybridge.log`, `keybridge.log.1`, ... */
  readonly files: number;
}

/**
 * Opens the diagnostic log (mode 0600; does not follow a link). Writes are synchronous, so that the last line before a
 * crash is in the file; events are rare. Lines that a full disk has dropped are counted in the next line that can be
 * written. At `maxBytes` the file is renamed to `<file>.1`, and the oldest file is removed.
 */
export function openLogFile(
  file: string,
  limits: LogFileLimits = { maxBytes: 10_000_000, files: 5 },
  append: (fd: number, line: string) => unknown = writeSync,
): LogFile {
  let open = openForAppend(file);
  let dropped = 0;
  return {
    write(line) {
      if (!open) return;
      const text = dropped > 0 ? `${droppedLine(dropped)}\n${line}` : line;
      const bytes = Buffer.byteLength(text);
      if (open.size > 0 && open.size + bytes > limits.maxBytes) {
        closeSync(open.fd);
        rotate(file, limits.files);
        open = openForAppend(file);
      }
      if (!open) return;
      try {
        append(open.fd, text);
        open.size += bytes;
        dropped = 0;
      } catch {
        dropped += 1;
      }
    },
    close() {
      if (open) closeSync(open.fd);
      open = undefined;
    },
  };
}

function droppedLine(count: number): string {
  const event = 'lines_dropped' satisfies LogEvent;
  return JSON.stringify({ at: new Date().toISOString(), level: logEvents[event], event, count });
}

function openForAppend(file: string): { fd: number; size: number } | undefined {
  try {
    // O_NOFOLLOW is absent on Windows, where links need a privilege.
    const flags = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);
    const fd = openSync(file, flags, 0o600);
    return { fd, size: fstatSync(fd).size };
  } catch {
    return undefined;
  }
}

function rotate(file: string, files: number): void {
  for (let n = files - 1; n >= 1; n -= 1) {
    try {
      renameSync(n === 1 ? file : `${file}.${n - 1}`, `${file}.${n}`);
    } catch {
      // There are not that many files yet.
    }
  }
}
