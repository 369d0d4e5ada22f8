/** Formats a time (Unix milliseconds) in the user's time zone and date format. */
export function formatMoment(at: number): string {
  if (!Number.isFinite(at) || Math.abs(at) > 8.64e15) return String(at);
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(at);
}
