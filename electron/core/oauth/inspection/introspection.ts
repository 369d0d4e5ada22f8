import * as oauth from 'oauth4webapi';
import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { readJson } from '../../../../shared/json.ts';
import { sanitizeExternalText } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { sendForm } from '../token-endpoint/form-request.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { TokenClient, TokenEndpointOptions } from '../model.ts';

/** What the authorization server says about an access token (RFC 7662 2.2), fit to be shown. */
export interface Introspection {
  readonly active: boolean;
  /** Of `scope`, `username`, `exp`: those that it told. */
  readonly claims: Readonly<Record<string, string>>;
}

const Answer = z.object({
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
 * Asks what an access token is good for, for display: nothing is decided by the answer. Undefined: the server tells us
 * nothing, because it does not take our client there, or not now. Never throws.
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
  const { active, scope, username, exp } = Answer.parse(readJson(body));
  const told = Object.entries({ scope, username, exp }).filter(([, value]) => value !== undefined && value !== null);
  return { active, claims: Object.fromEntries(told.map(([name, value]) => [name, sanitizeExternalText(value, 300)])) };
}
