import * as openid from 'openid-client';
import { AppError, asAppError } from '../../base/errors.ts';
import { fetchFollowing } from '../../http/follow.ts';
import { Secret } from '../../base/secret.ts';
import { basicAuthentication } from '../client-auth/basic-auth.ts';
import { clientAssertion } from '../client-auth/client-assertion.ts';
import { redactSecrets } from '../redact-echo.ts';
import { errorWords, readErrorResponse } from '../error-response.ts';
import { readTokenResponse } from './token-response.ts';
import type { Clock } from '../../base/clock.ts';
import type { HttpResponse, HttpRequest } from '../../http/http.ts';
import type { SigningKey, TokenVerdict, TokenClient, TokenEndpointOptions } from '../model.ts';

const tokenTimeoutMs = 30_000;
const revocationTimeoutMs = 10_000;
const maxAnswerBytes = 64 * 1024;

/**
 * One request by openid-client. It sees a tidy copy of the answer: 6.8.9 refuses many real ones, and would lose a
 * refresh token that the server has already rotated. What counts is our own reading of the answer.
 */
export async function requestTokens(
  client: TokenClient,
  { http, signal, clock, readAnswer = readTokenResponse }: TokenEndpointOptions,
  grant: (config: openid.Configuration) => Promise<unknown>,
): Promise<TokenVerdict> {
  let verdict: TokenVerdict | undefined;
  const request: Post = async (url, headers, body) => {
    verdict = await fetchFollowing(http, post(client, url, headers, body, tokenTimeoutMs, signal)).then(
      (answer: HttpResponse) =>
        quiet(
          readAnswer(answer, clock?.now() ?? Date.now(), client.quirks?.tokensIn),
          body,
          sentSecrets(client, headers),
        ),
      (error: unknown) => ({ kind: 'unclear', fault: asAppError(error) }) as const,
    );
    return tidyResponse(verdict);
  };
  try {
    await grant(await configuration(client, clock, request));
  } catch (error) {
    if (!verdict)
      return {
        kind: 'unclear',
        fault: new AppError('E_ENDPOINT_REFUSED', 'The token request could not be made.', {
          sent: false,
          cause: error,
        }),
      };
    if (verdict.kind === 'tokens') {
      const { refreshToken } = verdict.tokens;
      return {
        kind: 'unclear',
        fault: new AppError('E_TOKEN_RESPONSE', 'The token answer is not valid.'),
        ...(refreshToken ? { rotated: refreshToken } : {}),
      };
    }
  }
  return verdict ?? { kind: 'unclear', fault: new AppError('E_TOKEN_RESPONSE', 'The token endpoint was not asked.') };
}

/** The verdict with the server's words in it, from which what was sent is taken out. */
function quiet(verdict: TokenVerdict, form: string, secrets: readonly Secret[]): TokenVerdict {
  if (verdict.kind === 'tokens') return verdict;
  if (verdict.kind === 'unclear') {
    const words = errorWords(verdict.said ?? {}, form, ...secrets);
    return words === '' ? verdict : { ...verdict, fault: withWords(verdict.fault, words) };
  }
  const { error, description } = verdict;
  const clean = (words: string) => redactSecrets(words, form, ...secrets);
  return { ...verdict, error: clean(error), ...(description === undefined ? {} : { description: clean(description) }) };
}

/** What proves us besides the form: the client's secret, as it is and as the header carries it. */
const sentSecrets = ({ clientSecret }: TokenClient, { authorization }: Readonly<Record<string, string>>): Secret[] => [
  ...(clientSecret ? [clientSecret] : []),
  ...(authorization === undefined ? [] : [new Secret(authorization)]),
];

function withWords({ code, message, sent, retryAfterMs }: AppError, words: string): AppError {
  return new AppError(code, `${message} It said: ${words}`, {
    sent,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The verdict in the one form that openid-client expects. The ID token is left out: see `identify`. */
function tidyResponse(verdict: TokenVerdict): Response {
  if (verdict.kind === 'unclear') return Response.json({ error: 'unclear' }, { status: 400 });
  if (verdict.kind === 'error') return Response.json({ error: verdict.error }, { status: 400 });
  return Response.json({ access_token: verdict.tokens.accessToken.reveal(), token_type: 'bearer' });
}

/** Whether the server confirmed the revocation. Never throws: a sign-out goes on without it. */
export async function requestRevocation(
  client: TokenClient,
  token: Secret,
  hint: string,
  { http, signal, clock, onRefusal }: TokenEndpointOptions,
): Promise<boolean> {
  try {
    const config = await configuration(client, clock, async (url, headers, body) => {
      const answer = await fetchFollowing(http, post(client, url, headers, body, revocationTimeoutMs, signal));
      if (answer.status >= 200 && answer.status < 300) return new Response(null, { status: 200 });
      onRefusal?.(
        errorWords(readErrorResponse(answer), body, ...sentSecrets(client, headers)) || `status ${answer.status}`,
      );
      return new Response(null, { status: 500 });
    });
    await openid.tokenRevocation(config, token.reveal(), { token_type_hint: hint });
    return true;
  } catch {
    return false;
  }
}

export type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<Response>;

/** openid-client for one client at one server; `more`: of the server's metadata. */
export async function configuration(
  client: TokenClient,
  clock: Clock | undefined,
  request: Post,
  more: Partial<openid.ServerMetadata> = {},
): Promise<openid.Configuration> {
  const config = new openid.Configuration(
    {
      issuer: client.issuer,
      token_endpoint: withoutResource(client.tokenEndpoint),
      ...(client.revocationEndpoint === undefined ? {} : { revocation_endpoint: client.revocationEndpoint }),
      ...more,
    },
    client.clientId,
    undefined,
    await clientAuthentication(client, clock),
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

async function clientAuthentication(client: TokenClient, clock: Clock | undefined): Promise<openid.ClientAuth> {
  const { clientAuth, clientSecret, signingKey } = client;
  if (clientAuth === 'private_key_jwt' && signingKey) return assertionAuth(client, signingKey, clock);
  // RFC 8705 2: the certificate of the connection is the proof; the request only says whose.
  if (clientAuth === 'tls_client_auth') return openid.TlsClientAuth();
  if (clientAuth === 'none' || !clientSecret) return openid.None();
  if (clientAuth === 'client_secret_post') return openid.ClientSecretPost(clientSecret.reveal());
  return basicAuthentication(client.clientId, clientSecret, clientAuth === 'client_secret_basic_raw');
}

/**
 * private_key_jwt (RFC 7523 2.2). Ours and not openid-client's: it writes "Ed25519" where servers know "EdDSA", and has
 * a clock of its own.
 */
async function assertionAuth(
  { clientId, issuer }: TokenClient,
  key: SigningKey,
  clock: Clock | undefined,
): Promise<openid.ClientAuth> {
  const assertion = await clientAssertion(key, { clientId, audience: issuer, now: clock?.now() ?? Date.now() });
  return (_server, _client, body) => {
    body.set('client_id', clientId);
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    body.set('client_assertion', assertion);
  };
}

/** Some endpoints come with a `resource` in their query; ours, in the body, must be the only one (RFC 8707 2). */
function withoutResource(endpoint: string): string {
  const url = new URL(endpoint);
  if (!url.searchParams.has('resource')) return endpoint;
  url.searchParams.delete('resource');
  return url.href;
}

export function post(
  { allow }: TokenClient,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): HttpRequest {
  const { 'user-agent': _theirs, ...rest } = headers;
  return {
    url: new URL(url),
    method: 'POST',
    headers: rest,
    forTokens: true,
    body,
    allow,
    timeoutMs,
    maxBytes: maxAnswerBytes,
    ...(signal ? { signal } : {}),
  };
}
