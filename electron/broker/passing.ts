import type { ErrorCode } from '../../shared/errors.ts';

/** Only a person can end these: trying again by ourselves is of no use. */
const forPerson = new Set<ErrorCode>(['E_SIGN_IN_NEEDED', 'E_SIGN_IN_AGAIN', 'E_SECRET_AGAIN', 'E_SERVER_REFUSED', 'E_SCOPE_NEEDED', 'E_CLIENT_REFUSED', 'E_TOKEN_AUDIENCE', 'E_PROTOCOL_ERA', 'E_CANCELLED']);

/** Faults of the way to the server, which end by themselves. */
const ofTheWay = new Set<ErrorCode>(['E_CONNECTION_LOST', 'E_CONNECT', 'E_DNS', 'E_TIMEOUT', 'E_SERVER_UNREACHABLE', 'E_RATE_LIMITED', 'E_REFRESH_FAILED']);

export const needsPerson = (code: ErrorCode): boolean => forPerson.has(code);
export const passesByItself = (code: ErrorCode): boolean => ofTheWay.has(code);

/** Between tries of what should come back within 5 s: 0.5, 1, 2, 4, 5, 5 ... s. */
export const retryDelayMs = (failures: number): number => Math.min(5_000, 500 * 2 ** Math.min(Math.max(failures - 1, 0), 5));
