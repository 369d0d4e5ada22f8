import * as oauth from 'oauth4webapi';
import { defined } from '../../../../shared/defined.ts';
import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { Secret } from '../../base/secret.ts';
import { fetchFollowingRedirect } from '../../http/follow.ts';
import type { HttpRequest, HttpResponse } from '../../http/http.ts';
import { basicAuthentication } from '../client-auth/basic-auth.ts';
import { clientAssertion } from '../client-auth/client-assertion.ts';
import type { SigningKey, TokenClient, TokenEndpointOptions } from '../model.ts';

const maxResponseBytes = 64 * 1024;

/** One of the request functions of oauth4webapi (`refreshTokenGrantRequest`, ...), with its parameters filled in. */
export type RequestHalf = (
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  auth: oauth.ClientAuth,
  options: Pick<oauth.TokenEndpointRequestOptions, typeof oauth.allowInsecureRequests | typeof oauth.customFetch>,
) => Promise<unknown>;

export interface FormRequestOptions extends Pick<TokenEndpointOptions, 'http' | 'signal' | 'clock'> {
  readonly timeoutMs: number;
  /** Endpoints of the metadata that are not in the `TokenClient`. */
  readonly metadata?: Partial<oauth.AuthorizationServer>;
}

/** A response, and the secrets to redact from its text before it is shown. */
export interface FormExchange {
  readonly response: HttpResponse;
  /** The form that was sent. */
  readonly body: string;
  /** The client's secret, alone and as the value of the Authorization header. */
  readonly secrets: readonly Secret[];
}

interface Form {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends one form to the authorization server: oauth4webapi builds the request, our HTTP client sends it, and the caller
 * reads the response. The response half of oauth4webapi is not used: it rejects responses of many real servers, and
 * would lose a refresh token that the server has already rotated. Throws E_ENDPOINT_REFUSED (nothing was sent) and the
 * faults of Http.
 */
export async function sendForm(
  client: TokenClient,
  half: RequestHalf,
  { http, signal, clock, timeoutMs, metadata }: FormRequestOptions,
): Promise<FormExchange> {
  const form = await buildForm(client, half, clock, metadata).catch((cause: unknown) => {
    const message = 'The request to the authorization server could not be built.';
    throw new AppError('E_ENDPOINT_REFUSED', message, { sent: false, cause });
  });
  const response = await fetchFollowingRedirect(
    http,
    post(client, form.url, form.headers, form.body, timeoutMs, signal),
  );
  return { response, body: form.body, secrets: sentSecrets(client, form) };
}

/** oauth4webapi has no function that only builds a request, so it gets a `fetch` that records the request. */
async function buildForm(
  client: TokenClient,
  half: RequestHalf,
  clock: Clock | undefined,
  metadata: Partial<oauth.AuthorizationServer> = {},
): Promise<Form> {
  let form: Form | undefined;
  const server = {
    issuer: client.issuer,
    token_endpoint: withoutResource(client.tokenEndpoint),
    ...defined({ revocation_endpoint: client.revocationEndpoint }),
    ...metadata,
  };
  await half(server, { client_id: client.clientId }, await clientAuthentication(client, clock), {
    // Our HTTP client checks this itself: it allows plain http only on this computer.
    [oauth.allowInsecureRequests]: true,
    [oauth.customFetch]: async (url: string, { headers, body }: oauth.CustomFetchOptions<string, unknown>) => {
      if (!(body instanceof URLSearchParams)) throw new TypeError('The request is not a form.');
      form = { url, headers, body: body.toString() };
      // The request functions return it unread.
      return Response.error();
    },
  });
  if (!form) throw new TypeError('No request was made.');
  return form;
}

function post(
  { allow }: TokenClient,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): HttpRequest {
  const { 'user-agent': _userAgent, ...rest } = headers;
  return {
    url: new URL(url),
    method: 'POST',
    headers: rest,
    forTokens: true,
    body,
    allow,
    timeoutMs,
    maxBytes: maxResponseBytes,
    ...defined({ signal }),
  };
}

function sentSecrets({ clientSecret }: TokenClient, { headers: { authorization } }: Form): readonly Secret[] {
  const header = authorization === undefined ? undefined : new Secret(authorization);
  return [clientSecret, header].filter((secret) => secret !== undefined);
}

/** The client authentication of one request. */
async function clientAuthentication(client: TokenClient, clock: Clock | undefined): Promise<oauth.ClientAuth> {
  const { clientAuth, clientSecret, signingKey } = client;
  if (clientAuth === 'private_key_jwt' && signingKey) return assertionAuth(client, signingKey, clock);
  // RFC 8705 2: the certificate of the connection authenticates; the form only names the client.
  if (clientAuth === 'tls_client_auth') return oauth.TlsClientAuth();
  if (clientAuth === 'none' || !clientSecret) return oauth.None();
  if (clientAuth === 'client_secret_post') return oauth.ClientSecretPost(clientSecret.reveal());
  return basicAuthentication(client.clientId, clientSecret, clientAuth === 'client_secret_basic_raw');
}

/**
 * private_key_jwt (RFC 7523 2.2). Not that of oauth4webapi, which writes "Ed25519" where servers expect "EdDSA" and
 * uses the system clock.
 */
async function assertionAuth(
  { clientId, issuer }: TokenClient,
  key: SigningKey,
  clock: Clock | undefined,
): Promise<oauth.ClientAuth> {
  const assertion = await clientAssertion(key, { clientId, audience: issuer, now: clock?.now() ?? Date.now() });
  return (_server, _client, body) => {
    body.set('client_id', clientId);
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    body.set('client_assertion', assertion);
  };
}

/** Some endpoints have a `resource` in their query; the one in the body must be the only one (RFC 8707 2). */
function withoutResource(endpoint: string): string {
  const url = new URL(endpoint);
  if (!url.searchParams.has('resource')) return endpoint;
  url.searchParams.delete('resource');
  return url.href;
}
