import type { ErrorCode } from '../../shared/errors.ts';

/**
 * Errors that usually end only when a user acts. Some end without one (the server is fixed, a keychain entry comes
 * back), so they are retried slowly.
 */
const attentionCodes = new Set<ErrorCode>([
  'E_SIGN_IN_NEEDED',
  'E_SIGN_IN_AGAIN',
  'E_SECRET_AGAIN',
  'E_SCOPE_NEEDED',
  'E_CLIENT_REFUSED',
  'E_PROTOCOL_ERA',
  'E_CANCELLED',
  'E_TOKEN_AUDIENCE',
]);

/** Errors of the network or a busy server. */
const transientCodes = new Set<ErrorCode>([
  'E_CONNECTION_LOST',
  'E_CONNECT',
  'E_DNS',
  'E_TIMEOUT',
  'E_SERVER_UNREACHABLE',
  'E_RATE_LIMITED',
  'E_REFRESH_FAILED',
]);

export const needsAttention = (code: ErrorCode): boolean => attentionCodes.has(code);
export const isTransient = (code: ErrorCode): boolean => transientCodes.has(code);

const doubled = (firstMs: number, failures: number, maxMs: number): number =>
  Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 20));

/** Delay after a transient failure, in ms: 0.5, 1, 2, 4, 5, 5 ... s. */
export const retryDelayMs = (failures: number): number => doubled(500, failures, 5_000);

/**
 * Delay after any failure, in ms. No error ends the retries: one that needs a user is retried after 5 s to 5 min, a
 * refusal of the server after 2 to 60 s.
 */
export function delayAfterMs(code: ErrorCode, failures: number): number {
  if (needsAttention(code)) return doubled(5_000, failures, 300_000);
  return code === 'E_SERVER_REFUSED' ? doubled(2_000, failures, 60_000) : retryDelayMs(failures);
}
