import * as openid from 'openid-client';
import { z } from 'zod';
import { readJson } from '../../../../shared/json.ts';
import { AppError, asAppError } from '../../base/errors.ts';
import { fetchFollowing } from '../../http/follow.ts';
import { configuration } from '../token-endpoint/configuration.ts';
import { post } from '../token-endpoint/form-request.ts';
import { errorWords, isRefusal, readErrorResponse } from '../error-response.ts';
import type { Secret } from '../../base/secret.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { AuthorizationServer, TokenClient, TokenEndpointOptions } from '../model.ts';

/** The address for the browser, or why the server takes no sign-in of ours. */
export type Pushed =
  | { readonly kind: 'open'; readonly url: URL }
  | { readonly kind: 'refused'; readonly oauthError: string | undefined; readonly error: AppError };

type Verdict = { readonly kind: 'stored'; readonly requestUri: string } | Extract<Pushed, { kind: 'refused' }>;

const timeoutMs = 15_000;
const Stored = z.object({ request_uri: z.string().min(1).max(2_000) });

/**
 * Hands the authorization request to the server and sends only its name through the browser (RFC 9126), where the
 * server requires or offers that. `request`: the whole request as an address, which is used as it is where pushing is
 * not offered, or is offered and does not work. Never throws.
 */
export async function pushedRequest(
  client: TokenClient,
  server: AuthorizationServer,
  request: URL,
  options: TokenEndpointOptions,
): Promise<Pushed> {
  const { pushed_authorization_request_endpoint: endpoint, require_pushed_authorization_requests: required = false } =
    server;
  if (endpoint === undefined) return { kind: 'open', url: request };
  const verdict = await push(client, endpoint, server.authorization_endpoint, request, options);
  if (!('kind' in verdict)) return { kind: 'open', url: verdict };
  const final = required || verdict.error.code === 'E_CLIENT_REFUSED' || verdict.error.code === 'E_CANCELLED';
  return final ? verdict : { kind: 'open', url: request };
}

async function push(
  client: TokenClient,
  endpoint: string,
  authorizationEndpoint: string,
  request: URL,
  { http, signal, clock }: TokenEndpointOptions,
): Promise<URL | Extract<Pushed, { kind: 'refused' }>> {
  let verdict: Verdict | undefined;
  const more = {
    pushed_authorization_request_endpoint: endpoint,
    authorization_endpoint: bare(authorizationEndpoint, request),
  };
  try {
    const config = await configuration(
      client,
      clock,
      async (url, headers, body) => {
        verdict = await fetchFollowing(http, post(client, url, headers, body, timeoutMs, signal)).then(
          (answer) => read(answer, body, client.clientSecret),
          (error: unknown) => fault(asAppError(error)),
        );
        return verdict.kind === 'stored'
          ? Response.json({ request_uri: verdict.requestUri, expires_in: 60 }, { status: 201 })
          : Response.json({ error: 'refused' }, { status: 400 });
      },
      more,
    );
    return await openid.buildAuthorizationUrlWithPAR(config, request.searchParams);
  } catch (error) {
    return verdict?.kind === 'refused' ? verdict : fault(asAppError(error));
  }
}

/** RFC 9126 2.2, 2.3; errors are those of a token endpoint. */
function read(answer: HttpResponse, sent: string, clientSecret: Secret | undefined): Verdict {
  const { status, body } = answer;
  const value = readJson(body);
  const stored = status === 200 || status === 201 ? Stored.safeParse(value).data : undefined;
  if (stored) return { kind: 'stored', requestUri: stored.request_uri };
  const refusal = readErrorResponse(answer);
  const { error } = refusal;
  const words = errorWords(refusal, sent, clientSecret);
  if (error === undefined && !isRefusal(status))
    return fault(
      new AppError('E_HTTP_STATUS', `The authorization server did not take the pushed request (status ${status}).`),
    );
  const code = error === 'invalid_client' ? 'E_CLIENT_REFUSED' : 'E_AUTHORIZATION_ERROR';
  return {
    kind: 'refused',
    oauthError: error,
    error: new AppError(code, `The authorization server refused the pushed request (${words || `status ${status}`}).`),
  };
}

const fault = (error: AppError) => ({ kind: 'refused', oauthError: undefined, error }) as const;

/** The endpoint without what the pushed request says. */
function bare(endpoint: string, request: URL): string {
  const url = new URL(endpoint);
  for (const name of request.searchParams.keys()) url.searchParams.delete(name);
  return url.href;
}
