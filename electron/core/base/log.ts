import { sanitizeExternalText } from './errors.ts';
import { Secret } from './secret.ts';
import type { Clock } from './clock.ts';
import { defaultLogLevel, logEvents, logLevels, type LogEvent, type LogLevel } from './log-events.ts';

type LogValue = string | number | boolean | undefined | Secret;

/**
 * The diagnostic log: an event of log-events.ts, and typed fields. There is no free text, no body, no URL with a
 * query and no switch that shows secrets.
 */
export interface Log {
  (event: LogEvent, fields?: Readonly<Record<string, LogValue>>): void;
}

/**
 * One line of JSON per event that is at least as severe as `least`; secrets by fingerprint, every string on one line
 * and at most 200 characters.
 */
export function createLog(write: (line: string) => void, now: () => number, least: LogLevel = defaultLogLevel): Log {
  return (event, fields = {}) => {
    const level = logEvents[event];
    if (logLevels.indexOf(level) > logLevels.indexOf(least)) return;
    const line: Record<string, unknown> = { at: new Date(now()).toISOString(), level, event };
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      line[name] =
        value instanceof Secret
          ? `secret#${value.fingerprint()}`
          : typeof value === 'string'
            ? sanitizeExternalText(value, 200)
            : value;
    }
    write(`${JSON.stringify(line)}\n`);
  };
}

/** What is not broken says the same of one server far less often in a minute. */
const mostInMinute = 200;
const minuteMs = 60_000;

/**
 * The same log, in which nobody outside can push out everything else: of one event about one server only so many lines
 * a minute are written, and then how many were left out.
 */
export function withoutFloods(log: Log, clock: Pick<Clock, 'after'>): Log {
  const counts = new Map<string, number>();
  return (event, fields = {}) => {
    const { server } = fields;
    const kind = `${event} ${typeof server === 'string' ? server : ''}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count === 1) {
      clock.after(minuteMs, () => {
        const left = (counts.get(kind) ?? 0) - mostInMinute;
        counts.delete(kind);
        if (left > 0) log('lines_left_out', { of: event, server, count: left });
      });
    }
    if (count <= mostInMinute) log(event, fields);
  };
}

export const silentLog: Log = () => {};
