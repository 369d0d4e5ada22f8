import * as oauth from 'oauth4webapi';
import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { readJson } from '../../../../shared/json.ts';
import { AppError, asAppError } from '../../base/errors.ts';
import { sendForm, type FormExchange } from '../token-endpoint/form-request.ts';
import { errorWords, isRefusal, readErrorResponse } from '../error-response.ts';
import type { AuthorizationServer, TokenClient, TokenEndpointOptions } from '../model.ts';

/** The URL for the browser, or why the server rejects the sign-in. */
export type Pushed =
  | { readonly kind: 'open'; readonly url: URL }
  | { readonly kind: 'refused'; readonly oauthError: string | undefined; readonly error: AppError };

type Refused = Extract<Pushed, { kind: 'refused' }>;
type Verdict = { readonly kind: 'stored'; readonly requestUri: string } | Refused;

const timeoutMs = 15_000;
const Stored = z.object({ request_uri: z.string().min(1).max(2_000) });

/**
 * Sends the authorization request directly to the server, and only its `request_uri` through the browser (RFC 9126),
 * where the server requires or supports that. `request`: the full authorization URL, returned unchanged where the
 * server does not support pushing, or where pushing is optional and fails. Never throws.
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
  const verdict = await push(client, endpoint, request.searchParams, options);
  if (verdict.kind === 'stored')
    return { kind: 'open', url: storedRequest(server.authorization_endpoint, request, client, verdict.requestUri) };
  const isFinal = required || verdict.error.code === 'E_CLIENT_REFUSED' || verdict.error.code === 'E_CANCELLED';
  return isFinal ? verdict : { kind: 'open', url: request };
}

async function push(
  client: TokenClient,
  endpoint: string,
  parameters: URLSearchParams,
  { http, signal, clock }: TokenEndpointOptions,
): Promise<Verdict> {
  try {
    return readPushResponse(
      await sendForm(
        client,
        (server, us, auth, options) => oauth.pushedAuthorizationRequest(server, us, auth, parameters, options),
        {
          http,
          timeoutMs,
          metadata: { pushed_authorization_request_endpoint: endpoint },
          ...defined({ signal, clock }),
        },
      ),
    );
  } catch (error) {
    return failure(asAppError(error));
  }
}

/** RFC 9126 2.2, 2.3. Errors have the form of a token endpoint's. */
function readPushResponse({ response, body, secrets }: FormExchange): Verdict {
  const { status } = response;
  const value = readJson(response.body);
  const stored = status === 200 || status === 201 ? Stored.safeParse(value).data : undefined;
  if (stored) return { kind: 'stored', requestUri: stored.request_uri };
  const refusal = readErrorResponse(response);
  const { error } = refusal;
  if (error === undefined && !isRefusal(status))
    return failure(
      new AppError('E_HTTP_STATUS', `The authorization server did not accept the pushed request (status ${status}).`),
    );
  const words = errorWords(refusal, body, ...secrets);
  const code = error === 'invalid_client' ? 'E_CLIENT_REFUSED' : 'E_AUTHORIZATION_ERROR';
  return {
    kind: 'refused',
    oauthError: error,
    error: new AppError(code, `The authorization server refused the pushed request (${words || `status ${status}`}).`),
  };
}

const failure = (error: AppError) => ({ kind: 'refused', oauthError: undefined, error }) as const;

/** The URL for the browser (RFC 9126 4): the endpoint with `request_uri`, without the pushed parameters. */
function storedRequest(endpoint: string, request: URL, { clientId }: TokenClient, requestUri: string): URL {
  const url = new URL(endpoint);
  for (const name of request.searchParams.keys()) url.searchParams.delete(name);
  url.searchParams.append('request_uri', requestUri);
  url.searchParams.append('client_id', clientId);
  return url;
}
