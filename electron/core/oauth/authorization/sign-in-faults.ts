import { AppError } from '../../base/errors.ts';

export const cancelled = (): AppError => new AppError('E_CANCELLED', 'The sign-in was cancelled.');

export const signInTimedOut = (): AppError =>
  new AppError('E_SIGN_IN_TIMEOUT', 'The sign-in was not finished in the browser within ten minutes.');
