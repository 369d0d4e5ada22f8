import type { ErrorCode } from '../../../shared/reply.ts';
import { AppError } from '../base/errors.ts';
import type { StoreFault } from './secret-store.ts';

const codes: Record<StoreFault['kind'], ErrorCode> = {
  locked: 'E_STORE_LOCKED',
  denied: 'E_STORE_DENIED',
  unavailable: 'E_STORE_UNAVAILABLE',
};

const reasons: Record<StoreFault['kind'], string> = {
  locked: 'The keychain is locked',
  denied: 'The keychain refused access',
  unavailable: 'The keychain does not respond',
};

/** Returns the error to show for a fault of the store, for example "The keychain is locked: <what>." */
export function storeFault(fault: StoreFault, what: string): AppError {
  if (fault.because) return new AppError(fault.because.code, `${what}: ${fault.because.message}`);
  return new AppError(
    codes[fault.kind],
    `${reasons[fault.kind]}: ${what.replace(/^(The|A) /, (word) => word.toLowerCase())}.`,
  );
}
