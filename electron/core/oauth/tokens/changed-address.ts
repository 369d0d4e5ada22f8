import { AppError } from '../../base/errors.ts';
import type { Credential } from '../../vault/credential.ts';
import { displayUrl } from '../endpoint-url.ts';
import type { RefreshDeps } from './model.ts';

/**
 * Returns an error when the server's address is not the one that the sign-in was made for. Other programs of the user
 * can write the list of servers; the address in the store of secrets keeps them from redirecting a token.
 */
export function changedAddress(
  { serverUrlOf }: Pick<RefreshDeps, 'serverUrlOf'>,
  { id, serverUrl, grant }: Pick<Credential, 'id' | 'serverUrl' | 'grant'>,
): AppError | undefined {
  const current = serverUrlOf(id);
  if (serverUrl === undefined || current === undefined || current === serverUrl) return undefined;
  // A key that the user entered is valid for the whole origin (grants/static-header.ts).
  if (grant === 'static_header' && new URL(current).origin === new URL(serverUrl).origin) return undefined;
  return new AppError(
    'E_SIGN_IN_AGAIN',
    `The sign-in was for ${displayUrl(new URL(serverUrl))}, but the server now has another address.`,
  );
}
