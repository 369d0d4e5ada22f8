import { AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { Server } from '../../servers/server.ts';
import { decodedClaims } from '../identity/jwt-claims.ts';
import type { TokenResult } from '../model.ts';
import { companyOf, type Company } from './company.ts';
import { asCompanyError } from './identity-provider.ts';

/** Returns the ID token. Throws the reason why there is none, as an error of the company. */
export function idTokenFrom(result: TokenResult, { issuer }: Company): Secret {
  if (result.kind === 'unavailable')
    throw result.error.code === 'E_CANCELLED' ? result.error : asCompanyError(causeOf(result.error), issuer);
  if (result.kind === 'anonymous')
    throw asCompanyError(new AppError('E_SIGN_IN_AGAIN', 'You are not signed in there yet.'), issuer);
  if (result.kind === 'refused') throw asCompanyError(result.error, issuer);
  return result.token;
}

/** Returns the company of this server. Throws E_BAD_INPUT if its settings name none. */
export function requireCompany(server: Server): Company {
  const company = companyOf(server);
  if (company) return company;
  throw settingMissing();
}

export const settingMissing = (): AppError =>
  new AppError(
    'E_BAD_INPUT',
    'The setting enterprise is missing. It names the company’s identity provider and the client ID to use there.',
    { field: 'settings.enterprise' },
  );

/** The cause of a failed refresh, if it is known. */
const causeOf = (error: AppError): AppError =>
  error.code === 'E_REFRESH_FAILED' && error.cause instanceof AppError ? error.cause : error;

/** E_CLIENT_REFUSED included: the user may have entered another client secret, which only a new sign-in reads. */
export const needsPerson = ({ code }: AppError): boolean =>
  code === 'E_SIGN_IN_AGAIN' || code === 'E_CLIENT_REFUSED' || code === 'E_STORE_DAMAGED';

/** Whether an ID token has expired by this computer's clock. `now`: Unix ms. */
export function isExpired(idToken: Secret, now: number): boolean {
  const exp = decodedClaims(idToken.reveal())?.exp;
  return exp !== undefined && exp * 1000 <= now;
}
