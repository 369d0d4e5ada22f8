import * as oauth from 'oauth4webapi';
import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { readJson } from '../../../../shared/json.ts';
import { AppError, asAppError } from '../../base/errors.ts';
import { sendForm, type FormExchange } from '../token-endpoint/form-request.ts';
import { errorWords, isRefusal, readErrorResponse } from '../error-response.ts';
import type { AuthorizationServer, TokenClient, TokenEndpointOptions } from '../model.ts';

/** The address for the browser, or why the server takes no sign-in of ours. */
export type Pushed =
  | { readonly kind: 'open'; readonly url: URL }
  | { readonly kind: 'refused'; readonly oauthError: string | undefined; readonly error: AppError };

type Refused = Extract<Pushed, { kind: 'refused' }>;
type Verdict = { readonly kind: 'stored'; readonly requestUri: string } | Refused;

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
  const verdict = await push(client, endpoint, request.searchParams, options);
  if (verdict.kind === 'stored')
    return { kind: 'open', url: storedRequest(server.authorization_endpoint, request, client, verdict.requestUri) };
  const final = required || verdict.error.code === 'E_CLIENT_REFUSED' || verdict.error.code === 'E_CANCELLED';
  return final ? verdict : { kind: 'open', url: request };
}

async function push(
  client: TokenClient,
  endpoint: string,
  parameters: URLSearchParams,
  { http, signal, clock }: TokenEndpointOptions,
): Promise<Verdict> {
  try {
    return read(
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
    return fault(asAppError(error));
  }
}

/** RFC 9126 2.2, 2.3; errors are those of a token endpoint. */
function read({ response, body, secrets }: FormExchange): Verdict {
  const { status } = response;
  const value = readJson(response.body);
  const stored = status === 200 || status === 201 ? Stored.safeParse(value).data : undefined;
  if (stored) return { kind: 'stored', requestUri: stored.request_uri };
  const refusal = readErrorResponse(response);
  const { error } = refusal;
  if (error === undefined && !isRefusal(status))
    return fault(
      new AppError('E_HTTP_STATUS', `The authorization server did not take the pushed request (status ${status}).`),
    );
  const words = errorWords(refusal, body, ...secrets);
  const code = error === 'invalid_client' ? 'E_CLIENT_REFUSED' : 'E_AUTHORIZATION_ERROR';
  return {
    kind: 'refused',
    oauthError: error,
    error: new AppError(code, `The authorization server refused the pushed request (${words || `status ${status}`}).`),
  };
}

const fault = (error: AppError) => ({ kind: 'refused', oauthError: undefined, error }) as const;

/** The address for the browser (RFC 9126 4): the endpoint without what was pushed, with the request's name. */
function storedRequest(endpoint: string, request: URL, { clientId }: TokenClient, requestUri: string): URL {
  const url = new URL(endpoint);
  for (const name of request.searchParams.keys()) url.searchParams.delete(name);
  url.searchParams.append('request_uri', requestUri);
  url.searchParams.append('client_id', clientId);
  return url;
}
