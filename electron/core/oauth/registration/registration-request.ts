import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import type { ErrorCode } from '../../../../shared/reply.ts';
import { isUtf16, readJson } from '../../../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { fetchFollowingRedirect } from '../../http/follow.ts';
import { retryAfterMs } from '../../http/retry-after.ts';
import { Secret } from '../../base/secret.ts';
import { firstNamed } from '../scopes.ts';
import { redirected } from '../discovery/metadata.ts';
import { errorWords, readErrorResponse, type ErrorResponse } from '../error-response.ts';
import type { AddressPolicy, Http, HttpResponse } from '../../http/http.ts';
import type { AuthorizationServer } from '../model.ts';

type ClientAuth = 'none' | 'client_secret_basic' | 'client_secret_post';

interface RegisteredClient {
  readonly clientId: string;
  readonly clientAuth: ClientAuth;
  readonly clientSecret?: Secret;
  /** Unix ms. Undefined if it never expires. */
  readonly secretExpiresAt?: number;
  /** Unix ms: the only expiry that a response can state (RFC 7591 3.2.1), even where no secret is used. */
  readonly endsAt?: number;
  /** The client configuration endpoint and its token (RFC 7592 3). */
  readonly management?: { readonly uri: string; readonly token: Secret };
}

export type RegistrationResponse =
  /** `refusedScopes`: the scopes that the server named as unknown. */
  | { readonly kind: 'registered'; readonly client: RegisteredClient; readonly refusedScopes?: readonly string[] }
  | { readonly kind: 'redirect_refused'; readonly error: AppError };

export interface ClientRegistrationRequest {
  readonly endpoint: string;
  readonly authorizationServer: AuthorizationServer;
  readonly allow: AddressPolicy;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** In addition to `authorization_code` and `refresh_token`. */
  readonly grantTypes?: readonly string[];
  /** RFC 7591 3. */
  readonly initialAccessToken?: Secret;
  readonly signal?: AbortSignal;
}

const timeoutMs = 15_000;
const maxResponseBytes = 64 * 1024;

/** If the server names another scope in each of this many responses, none is requested. */
const maxTries = 5;

/**
 * One dynamic registration (RFC 7591 3). If the server rejects a scope, the registration is repeated without that one
 * or, if the error names none of the requested scopes, without any. Throws E_REGISTRATION_REFUSED,
 * E_REGISTRATION_INVALID, E_HTTP_STATUS, E_REDIRECTED and the faults of Http.
 */
export async function registerClient(http: Http, request: ClientRegistrationRequest): Promise<RegistrationResponse> {
  const refused: string[] = [];
  let { scopes } = request;
  for (let tries = 1; ; tries += 1) {
    const response = await post(http, request, scopes);
    const refusal = refusalIn(response);
    if (!refusal || scopes.length === 0 || !isAbout(refusal, 'scope')) {
      const result = readResponse(response, request);
      return result.kind === 'registered' && refused.length > 0 ? { ...result, refusedScopes: refused } : result;
    }
    const named = tries < maxTries ? firstNamed(scopes, refusal.description ?? '') : undefined;
    if (named !== undefined) refused.push(named);
    scopes = named === undefined ? [] : scopes.filter((scope) => scope !== named);
  }
}

function post(
  http: Http,
  {
    endpoint,
    authorizationServer,
    allow,
    redirectUri,
    grantTypes = [],
    initialAccessToken,
    signal,
  }: ClientRegistrationRequest,
  scopes: readonly string[],
): Promise<HttpResponse> {
  const metadata = {
    client_name: 'Keybridge',
    // MCP 2026-07-28: servers may use this to choose their rules for redirect URIs (OpenID Connect Registration 2).
    application_type: 'native',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token', ...grantTypes],
    response_types: ['code'],
    token_endpoint_auth_method: preferredAuth(authorizationServer),
    ...defined({ scope: scopes.join(' ') || undefined }),
  };
  return fetchFollowingRedirect(http, {
    url: new URL(endpoint),
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...defined({ authorization: initialAccessToken && `Bearer ${initialAccessToken.reveal()}` }),
    },
    body: JSON.stringify(metadata),
    ownBearer: true,
    allow,
    timeoutMs,
    maxBytes: maxResponseBytes,
    ...defined({ signal }),
  });
}

/**
 * `none` with PKCE where it is offered, since a program on the user's computer cannot protect a client secret. Else the
 * first method that the server lists: servers based on the official Python SDK list two methods with a secret, but
 * accept the second only with a `client_id` in the body.
 */
function preferredAuth({ token_endpoint_auth_methods_supported: methods }: AuthorizationServer): ClientAuth {
  if (!methods || methods.includes('none')) return 'none';
  return methods.find((method) => method === 'client_secret_basic' || method === 'client_secret_post') ?? 'none';
}

function refusalIn(response: HttpResponse): ErrorResponse | undefined {
  return response.status < 400 || response.status > 499 ? undefined : readErrorResponse(response);
}

/** RFC 7591 3.2.2 has one error code for all members except the redirect URI; the description says which. */
const isAbout = ({ error = '', description = '' }: ErrorResponse, member: string): boolean =>
  error.includes(member) || description.includes(member);

function readResponse(
  response: HttpResponse,
  { endpoint, redirectUri, authorizationServer, initialAccessToken }: ClientRegistrationRequest,
): RegistrationResponse {
  const { status, headers } = response;
  const host = sanitizeExternalText(new URL(endpoint).host);
  if (isUtf16(response.body))
    throw new AppError(
      'E_REGISTRATION_INVALID',
      `${host} responded to the registration with UTF-16 text, but JSON must be UTF-8.`,
    );
  if (status === 200 || status === 201)
    return {
      kind: 'registered',
      client: readClient(readJson(response.body), redirectUri, authorizationServer, endpoint),
    };
  if (status >= 300 && status < 400) throw redirected(new URL(endpoint), 'the registration');
  const detail = defined({ retryAfterMs: retryAfterMs(headers, Date.now()) });
  if (status >= 500)
    throw new AppError('E_HTTP_STATUS', `${host} could not register Keybridge: status ${status}.`, detail);

  const refusal = refusalIn(response);
  const reason = errorWords(refusal ?? {}, '', initialAccessToken) || `status ${status}`;
  const error = new AppError('E_REGISTRATION_REFUSED', `${host} refused to register Keybridge (${reason}).`, detail);
  if (refusal && (refusal.error === 'invalid_redirect_uri' || isAbout(refusal, 'redirect_uri')))
    return { kind: 'redirect_refused', error };
  throw error;
}

const numberOf = (value: unknown): unknown =>
  typeof value === 'string' && /^\d{1,15}(\.\d+)?$/.test(value.trim()) ? Number(value) : value;

/** RFC 7591 3.2.1. Members that Keybridge does not use may have any value. */
const Client = z.object({
  client_id: z.string().regex(/^[\x20-\x7e]{1,2000}$/),
  client_secret: z
    .string()
    .regex(/^[\x20-\x7e]{1,4000}$/)
    .nullish(),
  // Some servers write numbers as strings; anything else is treated as absent.
  client_secret_expires_at: z.preprocess(numberOf, z.number().nullish().catch(undefined)),
  redirect_uris: z.array(z.string()).nullish(),
  token_endpoint_auth_method: z.string().nullish(),
  registration_access_token: z.unknown().optional(),
  registration_client_uri: z.unknown().optional(),
});

function readClient(
  value: unknown,
  redirectUri: string,
  server: AuthorizationServer,
  endpoint: string,
): RegisteredClient {
  const host = sanitizeExternalText(new URL(endpoint).host);
  const invalid = (what: string, code: ErrorCode = 'E_REGISTRATION_INVALID') =>
    new AppError(code, `${host} responded to the registration ${what}.`);
  const parsed = Client.safeParse(value);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.map(String).join('.');
    throw invalid(at ? `with an invalid ${sanitizeExternalText(at, 40)}` : 'with something other than a JSON object');
  }
  const {
    client_id,
    client_secret,
    client_secret_expires_at: expires,
    redirect_uris,
    token_endpoint_auth_method,
  } = parsed.data;
  if (redirect_uris && !redirect_uris.includes(redirectUri))
    throw invalid('with a redirect URI that Keybridge did not request');
  const management = managementOf(parsed.data, endpoint);
  const clientAuth = authMethod(token_endpoint_auth_method ?? undefined, client_secret ?? undefined, server);
  if (!clientAuth)
    throw invalid(
      'with a client authentication method that Keybridge did not request: ' +
        sanitizeExternalText(token_endpoint_auth_method, 40),
    );
  const usesSecret = client_secret && clientAuth !== 'none';
  // In seconds; 0 means never.
  const endsAt = expires && expires > 0 ? expires * 1000 : undefined;
  return {
    clientId: client_id,
    clientAuth,
    ...defined({
      clientSecret: usesSecret ? new Secret(client_secret) : undefined,
      secretExpiresAt: usesSecret ? endsAt : undefined,
      endsAt,
      management,
    }),
  };
}

/** Only if both are present and valid. The token is sent only to the origin that issued it. */
function managementOf(
  { registration_access_token: token, registration_client_uri: uri }: z.infer<typeof Client>,
  endpoint: string,
): RegisteredClient['management'] {
  if (
    typeof token !== 'string' ||
    !/^[\x21-\x7e]{1,8000}$/.test(token) ||
    typeof uri !== 'string' ||
    !URL.canParse(uri)
  )
    return undefined;
  const url = new URL(uri);
  const own = url.origin === new URL(endpoint).origin && url.username === '' && url.password === '';
  return own ? { uri: url.href, token: new Secret(token) } : undefined;
}

/** The method that the server states; if it states none, a secret that it issued is used. */
function authMethod(
  stated: string | undefined,
  secret: string | undefined,
  server: AuthorizationServer,
): ClientAuth | undefined {
  if (stated === 'none') return 'none';
  if (stated === 'client_secret_basic' || stated === 'client_secret_post')
    return secret === undefined ? undefined : stated;
  if (stated !== undefined) return undefined;
  if (secret === undefined) return 'none';
  const methods = server.token_endpoint_auth_methods_supported;
  return methods?.includes('client_secret_post') && !methods.includes('client_secret_basic')
    ? 'client_secret_post'
    : 'client_secret_basic';
}
