import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { readJson } from '../../../../shared/json.ts';
import type { Secret } from '../../base/secret.ts';
import { fetchFollowingRedirect } from '../../http/follow.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';

const timeoutMs = 10_000;

/** RFC 7592 3. Members that we do not use may be anything, and are sent back unchanged. */
const ConfiguredClient = z.looseObject({
  client_id: z.string(),
  client_secret: z
    .string()
    .regex(/^[\x20-\x7e]{1,4000}$/)
    .nullish(),
  client_secret_expires_at: z.coerce.number().nullish().catch(undefined),
  registration_access_token: z
    .string()
    .regex(/^[\x21-\x7e]{1,8000}$/)
    .nullish()
    .catch(undefined),
  registration_client_uri: z.string().nullish().catch(undefined),
});
export type ConfiguredClient = z.infer<typeof ConfiguredClient>;

export interface ConfigurationRequest {
  readonly uri: string;
  readonly token: Secret;
  readonly allow: AddressPolicy;
  /** PUT replaces the client's metadata by this (RFC 7592 2.2). Without it the client is read (RFC 7592 2.1). */
  readonly update?: object;
}

/** One request to a client configuration endpoint (RFC 7592 2). No client: the response was not usable. */
export async function requestConfiguration(
  http: Http,
  { uri, token, allow, update }: ConfigurationRequest,
): Promise<{ readonly status: number; readonly client?: ConfiguredClient }> {
  const response = await fetchFollowingRedirect(http, {
    url: new URL(uri),
    method: update ? 'PUT' : 'GET',
    headers: {
      authorization: `Bearer ${token.reveal()}`,
      accept: 'application/json',
      ...defined({ 'content-type': update && 'application/json' }),
    },
    ...defined({ body: update && JSON.stringify(update) }),
    ownBearer: true,
    allow,
    timeoutMs,
    maxBytes: 64 * 1024,
  });
  const { status } = response;
  return {
    status,
    ...defined({ client: status === 200 ? ConfiguredClient.safeParse(readJson(response.body)).data : undefined }),
  };
}

/** RFC 7592 2.2: all members that the server sent, except those that an update must not contain. */
export function updateOf({
  registration_access_token: _token,
  registration_client_uri: _uri,
  client_secret_expires_at: _expires,
  client_id_issued_at: _issued,
  client_secret_issued_at: _secret,
  ...metadata
}: ConfiguredClient): object {
  return metadata;
}
