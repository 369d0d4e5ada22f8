/** Longest wait that is obeyed: what asks for more has a fault, and must not shut a person out for a day. */
const longestMs = 60 * 60 * 1000;

/**
 * How long the other side asked us to wait, in ms (RFC 9110 10.2.3: seconds or a date). A date is read against the
 * answer's own `Date` where there is one, so that a wrong clock here does no harm. An hour at most.
 * Undefined when nothing sensible is said.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return undefined;
  const seconds = /^\d{1,12}$/.test(value);
  // Date.parse reads nearly anything as a date, "-5" too: an HTTP date names its day.
  if (!seconds && !/^[A-Z][a-z]{2}/.test(value)) return undefined;
  const ms = seconds ? Number(value) * 1000 : Date.parse(value) - servedAt(headers, now);
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), longestMs) : undefined;
}

function servedAt(headers: Readonly<Record<string, string>>, now: number): number {
  const date = Date.parse(headers['date'] ?? '');
  return Number.isFinite(date) ? date : now;
}
