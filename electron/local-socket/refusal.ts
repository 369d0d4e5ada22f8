// Node's own modules only: the bridge loads this file.
import type { ErrorCode } from '../../shared/errors.ts';
import { bridgeRemedies } from '../../shared/messages/en/bridge-remedies.ts';

/** Why a caller gets no connection to the broker. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

export const refusal = (code: keyof typeof bridgeRemedies, message: string): Refusal => ({
  code,
  message,
  remedy: bridgeRemedies[code],
});
