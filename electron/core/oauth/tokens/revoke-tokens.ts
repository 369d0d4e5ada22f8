import { defined } from '../../../../shared/defined.ts';
import type { Secret } from '../../base/secret.ts';
import type { Http } from '../../http/http.ts';
import type { TokenClient } from '../model.ts';
import { revoke } from '../token-endpoint/token-endpoint.ts';

/** Revokes both tokens of a grant. Returns the result for the refresh token if there is one. Never throws. */
export async function revokeAll(
  client: TokenClient,
  refreshToken: Secret | undefined,
  accessToken: Secret | undefined,
  http: Http,
  onRefusal?: (words: string) => void,
): Promise<'confirmed' | 'not_offered' | 'failed'> {
  const options = { http, ...defined({ onRefusal }) };
  const [first, second] = await Promise.all([
    refreshToken ? revoke(client, refreshToken, 'refresh_token', options) : undefined,
    accessToken ? revoke(client, accessToken, 'access_token', options) : undefined,
  ]);
  return first ?? second ?? 'failed';
}
