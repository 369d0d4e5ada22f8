import type { ErrorCode } from '../../shared/errors.ts';

/** Exit codes of the command line. Scripts rely on them, so they never change; docs/command-line.md lists them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  noBroker: 3,
  signInNeeded: 4,
  store: 5,
  unknownServer: 6,
  unreachable: 7,
  alreadyRunning: 8,
  cancelled: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byError: Partial<Record<ErrorCode, ExitCode>> = {
  E_BAD_INPUT: exitCodes.usage,
  E_SERVER_URL: exitCodes.usage,
  E_INSECURE_URL: exitCodes.usage,
  E_BROKER_DOWN: exitCodes.noBroker,
  E_SIGN_IN_NEEDED: exitCodes.signInNeeded,
  E_SIGN_IN_AGAIN: exitCodes.signInNeeded,
  E_SECRET_AGAIN: exitCodes.signInNeeded,
  E_SCOPE_NEEDED: exitCodes.signInNeeded,
  E_TOKEN_AUDIENCE: exitCodes.signInNeeded,
  E_HOSTS_UNCONFIRMED: exitCodes.signInNeeded,
  E_STORE_LOCKED: exitCodes.store,
  E_STORE_DENIED: exitCodes.store,
  E_STORE_UNAVAILABLE: exitCodes.store,
  E_STORE_WRITE: exitCodes.store,
  E_STORE_DAMAGED: exitCodes.store,
  E_SERVER_UNKNOWN: exitCodes.unknownServer,
  E_ACCOUNT_UNKNOWN: exitCodes.unknownServer,
  E_DNS: exitCodes.unreachable,
  E_CONNECT: exitCodes.unreachable,
  E_TIMEOUT: exitCodes.unreachable,
  E_CONNECTION_LOST: exitCodes.unreachable,
  E_SERVER_UNREACHABLE: exitCodes.unreachable,
  E_RATE_LIMITED: exitCodes.unreachable,
  E_BROKER_RUNNING: exitCodes.alreadyRunning,
  E_CANCELLED: exitCodes.cancelled,
};

export const exitCodeOf = (code: ErrorCode): ExitCode => byError[code] ?? exitCodes.failed;
