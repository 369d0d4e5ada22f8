import { foreign } from './errors.ts';
import { Secret } from './secret.ts';

export type LogValue = string | number | boolean | undefined | Secret;

/**
 * The diagnostic log: an event name that is a literal, and typed fields. There is no free text, no body, no URL with a
 * query and no switch that shows secrets.
 */
export interface Log {
  (event: string, fields?: Readonly<Record<string, LogValue>>): void;
}

/** One line of JSON per event; secrets by fingerprint, every string on one line and at most 200 characters. */
export function createLog(write: (line: string) => void, now: () => number): Log {
  return (event, fields = {}) => {
    const line: Record<string, unknown> = { at: new Date(now()).toISOString(), event };
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      line[name] = value instanceof Secret ? `secret#${value.fingerprint()}` : typeof value === 'string' ? foreign(value, 200) : value;
    }
    write(`${JSON.stringify(line)}\n`);
  };
}

export const silentLog: Log = () => {};
