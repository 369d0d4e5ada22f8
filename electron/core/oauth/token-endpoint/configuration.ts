import * as openid from 'openid-client';
import { defined } from '../../../../shared/defined.ts';
import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { TokenClient } from '../model.ts';
import { clientAuthentication, withoutResource } from './form-request.ts';

type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<Response>;

/** openid-client for one client at one server; `more`: of the server's metadata. `sendForm` replaces it. */
export async function configuration(
  client: TokenClient,
  clock: Clock | undefined,
  request: Post,
  more: Partial<openid.ServerMetadata> = {},
): Promise<openid.Configuration> {
  const auth = await clientAuthentication(client, clock);
  const config = new openid.Configuration(
    {
      issuer: client.issuer,
      token_endpoint: withoutResource(client.tokenEndpoint),
      ...defined({ revocation_endpoint: client.revocationEndpoint }),
      ...more,
    },
    client.clientId,
    undefined,
    (server, us, body, headers) => void auth(server, us, body, headers),
  );
  // The HTTP client has its own rule: plain http only on this computer.
  openid.allowInsecureRequests(config);
  config.timeout = 0;
  config[openid.customFetch] = async (url, { headers, body }) => request(url, headers, formText(body));
  return config;
}

function formText(body: openid.FetchBody): string {
  if (body instanceof URLSearchParams) return body.toString();
  throw new AppError('E_UNEXPECTED', 'openid-client made a request that is not a form.');
}
