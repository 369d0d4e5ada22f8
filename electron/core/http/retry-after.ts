/** A longer wait is capped, so that a faulty server cannot lock a user out for a day. */
const maxWaitMs = 60 * 60 * 1000;

/**
 * Returns the wait that a response asks for, in ms and at most an hour (Retry-After, RFC 9110 10.2.3: seconds or a
 * date), or undefined if the header is missing or invalid. A date is compared with the response's own `Date` header if
 * present, so a wrong local clock does no harm.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return undefined;
  const isSeconds = /^\d{1,12}$/.test(value);
  // Date.parse accepts almost anything, even "-5". An HTTP date starts with the day of the week.
  if (!isSeconds && !/^[A-Z][a-z]{2}/.test(value)) return undefined;
  const ms = isSeconds ? Number(value) * 1000 : Date.parse(value) - responseDate(headers, now);
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), maxWaitMs) : undefined;
}

function responseDate(headers: Readonly<Record<string, string>>, now: number): number {
  const date = Date.parse(headers['date'] ?? '');
  return Number.isFinite(date) ? date : now;
}
