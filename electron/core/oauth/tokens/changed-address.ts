import { AppError } from '../../base/errors.ts';
import type { Credential } from '../../vault/credential.ts';
import { displayUrl } from '../endpoint-url.ts';
import type { RefreshDeps } from './model.ts';

/**
 * The list of servers is a file that other programs of the user can write. What is kept in the store of secrets says
 * which address the sign-in was for, and its tokens are not sent to another one that somebody put in its place.
 */
export function changedAddress(
  { serverUrlOf }: Pick<RefreshDeps, 'serverUrlOf'>,
  { id, serverUrl, grant }: Pick<Credential, 'id' | 'serverUrl' | 'grant'>,
): AppError | undefined {
  const now = serverUrlOf(id);
  if (serverUrl === undefined || now === undefined || now === serverUrl) return undefined;
  // A key that the user entered is for the whole origin (grants/static-header.ts).
  if (grant === 'static_header' && new URL(now).origin === new URL(serverUrl).origin) return undefined;
  return new AppError(
    'E_SIGN_IN_AGAIN',
    `The sign-in was for ${displayUrl(new URL(serverUrl))}; the list of servers has another address now.`,
  );
}
