import * as oauth from 'oauth4webapi';
import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { readJson } from '../../../../shared/json.ts';
import { sanitizeExternalText } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { sendForm } from '../token-endpoint/form-request.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { TokenClient, TokenEndpointOptions } from '../model.ts';

/** An introspection response (RFC 7662 2.2), sanitized for display. */
export interface Introspection {
  readonly active: boolean;
  /** `scope`, `username` and `exp`, if present. */
  readonly claims: Readonly<Record<string, string>>;
}

const IntrospectionResponse = z.object({
  active: z.boolean(),
  scope: z.string().nullish().catch(undefined),
  username: z.string().nullish().catch(undefined),
  exp: z
    .union([z.number(), z.string().regex(/^\d{1,15}$/)])
    .nullish()
    .catch(undefined),
});

const timeoutMs = 2_000;

/**
 * Introspects an access token, for display only. Returns undefined when the server has no such endpoint, refuses the
 * client or cannot be reached. Never throws.
 */
export async function introspect(
  client: TokenClient,
  token: Secret,
  { http, clock, signal }: TokenEndpointOptions,
): Promise<Introspection | undefined> {
  const { introspectionEndpoint: endpoint } = client;
  if (endpoint === undefined) return undefined;
  try {
    const { response } = await sendForm(
      client,
      (server, us, auth, options) =>
        oauth.introspectionRequest(server, us, auth, token.reveal(), {
          ...options,
          additionalParameters: { token_type_hint: 'access_token' },
        }),
      { http, timeoutMs, metadata: { introspection_endpoint: endpoint }, ...defined({ clock, signal }) },
    );
    return response.status === 200 ? read(response) : undefined;
  } catch {
    return undefined;
  }
}

function read({ body }: HttpResponse): Introspection {
  const { active, scope, username, exp } = IntrospectionResponse.parse(readJson(body));
  const present = Object.entries({ scope, username, exp }).filter(([, value]) => value !== undefined && value !== null);
  const claims = present.map(([name, value]) => [name, sanitizeExternalText(value, 300)]);
  return { active, claims: Object.fromEntries(claims) };
}
