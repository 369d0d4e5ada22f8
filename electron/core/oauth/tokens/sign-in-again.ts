import { AppError } from '../../base/errors.ts';

/** The authorization server has ended the sign-in. `cause`: its refusal. */
export function signInAgain(cause?: AppError): AppError {
  const message = 'The authorization server ended the sign-in.';
  return new AppError('E_SIGN_IN_AGAIN', cause ? `${message} ${cause.message}` : message);
}
