import type { ErrorCode } from '../../../shared/reply.ts';
import { AppError } from '../errors.ts';
import type { StoreFault } from '../ports.ts';

const codes: Record<StoreFault['kind'], ErrorCode> = {
  locked: 'E_STORE_LOCKED',
  denied: 'E_STORE_DENIED',
  unavailable: 'E_STORE_UNAVAILABLE',
};

const reasons: Record<StoreFault['kind'], string> = {
  locked: 'the keychain is locked',
  denied: 'the keychain refused access',
  unavailable: 'the keychain does not answer',
};

/** A store's fault as the error that the user sees: "<what>: the keychain is locked." */
export function storeFault(fault: StoreFault, what: string): AppError {
  if (fault.because) return new AppError(fault.because.code, `${what}: ${fault.because.message}`);
  return new AppError(codes[fault.kind], `${what}: ${reasons[fault.kind]}.`);
}
