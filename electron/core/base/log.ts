import { sanitizeExternalText } from './errors.ts';
import { Secret } from './secret.ts';
import type { Clock } from './clock.ts';
import {
  defaultLogLevel,
  logEvents,
  logLevels,
  type LogEvent,
  type LogFields,
  type LogLevel,
  type NoFields,
} from './log-events.ts';

type LogValue = string | number | boolean | undefined | Secret;
type AnyFields = Readonly<Record<string, LogValue>>;

type EventWithoutFields = {
  [Event in LogEvent]: LogFields[Event] extends NoFields ? Event : never;
}[LogEvent];

/** The diagnostic log. Each event takes exactly the fields that log-events.ts lists for it. */
export interface Log {
  (event: EventWithoutFields): void;
  <Event extends LogEvent>(event: Event, fields: LogFields[Event]): void;
}

/**
 * A log that writes one line of JSON per event that is at least as severe as `least`. A `Secret` is written as its
 * fingerprint, and every string on one line with at most 200 characters.
 */
export function createLog(write: (line: string) => void, now: () => number, least: LogLevel = defaultLogLevel): Log {
  return (event: LogEvent, fields: AnyFields = {}) => {
    const level = logEvents[event];
    if (logLevels.indexOf(level) > logLevels.indexOf(least)) return;
    const line: Record<string, unknown> = { at: new Date(now()).toISOString(), level, event };
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) line[name] = written(value);
    write(`${JSON.stringify(line)}\n`);
  };
}

function written(value: Exclude<LogValue, undefined>): string | number | boolean {
  if (value instanceof Secret) return `secret#${value.fingerprint()}`;
  return typeof value === 'string' ? sanitizeExternalText(value, 200) : value;
}

/** More lines of one event and server within a minute are not written. Without a flood there are far fewer. */
const maxPerMinute = 200;
const minuteMs = 60_000;

/**
 * The same log, protected against floods: a server can cause at most 200 lines per event and minute, so that it cannot
 * push other lines out of the file. A line at the end of the minute counts those that were left out.
 */
export function withoutFloods(log: Log, clock: Pick<Clock, 'after'>): Log {
  const counts = new Map<string, number>();
  return (event: LogEvent, fields: AnyFields = {}) => {
    const server = typeof fields['server'] === 'string' ? fields['server'] : undefined;
    const key = `${event} ${server ?? ''}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count === 1) {
      clock.after(minuteMs, () => {
        const leftOut = (counts.get(key) ?? 0) - maxPerMinute;
        counts.delete(key);
        if (leftOut > 0) log('lines_left_out', { of: event, server, count: leftOut });
      });
    }
    // The fields belong to this event: the caller's types have checked that.
    if (count <= maxPerMinute) log(event, fields as LogFields[LogEvent]);
  };
}

export const silentLog: Log = () => {};
