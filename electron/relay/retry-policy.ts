import type { ErrorCode } from '../../shared/errors.ts';

/**
 * As a rule a person ends these. Some end by themselves all the same (a server is put right, a keychain entry comes
 * back), so they are tried again, slowly.
 */
const forPerson = new Set<ErrorCode>([
  'E_SIGN_IN_NEEDED',
  'E_SIGN_IN_AGAIN',
  'E_SECRET_AGAIN',
  'E_SCOPE_NEEDED',
  'E_CLIENT_REFUSED',
  'E_PROTOCOL_ERA',
  'E_CANCELLED',
  'E_TOKEN_AUDIENCE',
]);

/** Faults of the way to the server, which end by themselves. */
const ofTheWay = new Set<ErrorCode>([
  'E_CONNECTION_LOST',
  'E_CONNECT',
  'E_DNS',
  'E_TIMEOUT',
  'E_SERVER_UNREACHABLE',
  'E_RATE_LIMITED',
  'E_REFRESH_FAILED',
]);

export const needsAttention = (code: ErrorCode): boolean => forPerson.has(code);
export const isTransient = (code: ErrorCode): boolean => ofTheWay.has(code);

const doubled = (firstMs: number, failures: number, mostMs: number): number =>
  Math.min(mostMs, firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 20));

/** Between tries of what should come back within 5 s: 0.5, 1, 2, 4, 5, 5 ... s. */
export const retryDelayMs = (failures: number): number => doubled(500, failures, 5_000);

/**
 * Between tries after any error, in ms. Nothing is given up for good: what needs a person is tried from 5 s to 5 min, a
 * refusal of the server from 2 to 60 s.
 */
export function delayAfterMs(code: ErrorCode, failures: number): number {
  if (needsAttention(code)) return doubled(5_000, failures, 300_000);
  return code === 'E_SERVER_REFUSED' ? doubled(2_000, failures, 60_000) : retryDelayMs(failures);
}
