import { AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { Server } from '../../servers/server.ts';
import type { TokenResult } from '../model.ts';
import { companyOf, type Company } from './company.ts';
import { atCompany } from './identity-provider.ts';

/** The ID token, or why there is none, thrown as an error of the company. */
export function idTokenIn(result: TokenResult, { issuer }: Company): Secret {
  if (result.kind === 'unavailable')
    throw result.error.code === 'E_CANCELLED' ? result.error : atCompany(reasonOf(result.error), issuer);
  if (result.kind === 'anonymous')
    throw atCompany(new AppError('E_SIGN_IN_AGAIN', 'You are not signed in there yet.'), issuer);
  if (result.kind === 'refused') throw atCompany(result.error, issuer);
  return result.token;
}

/** Throws E_BAD_INPUT where the settings name none. */
export function neededCompany(server: Server): Company {
  const company = companyOf(server);
  if (company) return company;
  throw new AppError(
    'E_BAD_INPUT',
    'The setting enterprise is missing. It names the company’s identity provider and the client ID to use there.',
    { field: 'settings.enterprise' },
  );
}

/** What lies behind "could not be renewed yet", where that is known. */
const reasonOf = (error: AppError): AppError =>
  error.code === 'E_REFRESH_FAILED' && error.cause instanceof AppError ? error.cause : error;

/** E_CLIENT_REFUSED: perhaps with another client secret, which the next sign-in reads. */
export const needsPerson = ({ code }: AppError): boolean =>
  code === 'E_SIGN_IN_AGAIN' || code === 'E_CLIENT_REFUSED' || code === 'E_STORE_DAMAGED';
