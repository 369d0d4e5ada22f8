import { z } from 'zod';
import type { ErrorCode } from '../../../../shared/reply.ts';
import { isUtf16, readJson } from '../../../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { fetchFollowing } from '../../http/follow.ts';
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
  /** Unix ms; absent: never. */
  readonly secretExpiresAt?: number;
  /** Unix ms: the one end that an answer states (RFC 7591 3.2.1), though no secret of it may be in use. */
  readonly endsAt?: number;
  /** Where and with what it can be deleted (RFC 7592 3). */
  readonly management?: { readonly uri: string; readonly token: Secret };
}

export type RegistrationAnswer =
  /** `refusedScopes`: those that the server named as not its own. */
  | { readonly kind: 'registered'; readonly client: RegisteredClient; readonly refusedScopes?: readonly string[] }
  | { readonly kind: 'redirect_refused'; readonly error: AppError };

export interface ClientRegistrationRequest {
  readonly endpoint: string;
  readonly authorizationServer: AuthorizationServer;
  readonly allow: AddressPolicy;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** Besides the usual ones. */
  readonly grantTypes?: readonly string[];
  /** RFC 7591 3. */
  readonly initialAccessToken?: Secret;
  readonly signal?: AbortSignal;
}

const timeoutMs = 15_000;
const maxAnswerBytes = 64 * 1024;

/** A server that names another scope each time is asked without any after this many tries. */
const mostTries = 5;

/**
 * One dynamic registration (RFC 7591 3). Where the server takes offence at a scope it is asked again without that one,
 * or, where it names none of ours, without any. Throws E_REGISTRATION_REFUSED, E_REGISTRATION_INVALID, E_HTTP_STATUS,
 * E_REDIRECTED and the faults of Http.
 */
export async function registerClient(http: Http, request: ClientRegistrationRequest): Promise<RegistrationAnswer> {
  const refused: string[] = [];
  let { scopes } = request;
  for (let tries = 1; ; tries += 1) {
    const answer = await post(http, request, scopes);
    const refusal = refusalIn(answer);
    if (!refusal || scopes.length === 0 || !blames(refusal, 'scope')) {
      const found = read(answer, request);
      return found.kind === 'registered' && refused.length > 0 ? { ...found, refusedScopes: refused } : found;
    }
    const named = tries < mostTries ? firstNamed(scopes, refusal.description ?? '') : undefined;
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
    // MCP 2026-07-28: a server may bind the redirect rules to it (OpenID Connect Registration 2).
    application_type: 'native',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token', ...grantTypes],
    response_types: ['code'],
    token_endpoint_auth_method: preferredAuth(authorizationServer),
    ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
  };
  return fetchFollowing(http, {
    url: new URL(endpoint),
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(initialAccessToken ? { authorization: `Bearer ${initialAccessToken.reveal()}` } : {}),
    },
    body: JSON.stringify(metadata),
    ownBearer: true,
    allow,
    timeoutMs,
    maxBytes: maxAnswerBytes,
    ...(signal ? { signal } : {}),
  });
}

/**
 * A program on the user's computer keeps no secret from its user: `none` with PKCE, where that is offered. Else what
 * the server names first: servers on the official Python SDK name both ways with a secret, but take the second only
 * with a `client_id` in the body.
 */
function preferredAuth({ token_endpoint_auth_methods_supported: methods }: AuthorizationServer): ClientAuth {
  if (!methods || methods.includes('none')) return 'none';
  return methods.find((method) => method === 'client_secret_basic' || method === 'client_secret_post') ?? 'none';
}

function refusalIn(answer: HttpResponse): ErrorResponse | undefined {
  return answer.status < 400 || answer.status > 499 ? undefined : readErrorResponse(answer);
}

/** RFC 7591 3.2.2 has one code for all members but the redirect URI; the description says which. */
const blames = ({ error = '', description = '' }: ErrorResponse, member: string): boolean =>
  error.includes(member) || description.includes(member);

function read(
  answer: HttpResponse,
  { endpoint, redirectUri, authorizationServer, initialAccessToken }: ClientRegistrationRequest,
): RegistrationAnswer {
  const { status, headers } = answer;
  const host = sanitizeExternalText(new URL(endpoint).host);
  if (isUtf16(answer.body))
    throw new AppError(
      'E_REGISTRATION_INVALID',
      `${host} answered the registration with UTF-16 text, and JSON is UTF-8.`,
    );
  if (status === 200 || status === 201)
    return {
      kind: 'registered',
      client: readClient(readJson(answer.body), redirectUri, authorizationServer, endpoint),
    };
  if (status >= 300 && status < 400) throw redirected(new URL(endpoint), 'the registration');
  const wait = retryAfterMs(headers, Date.now());
  const detail = wait === undefined ? {} : { retryAfterMs: wait };
  if (status >= 500)
    throw new AppError('E_HTTP_STATUS', `${host} could not register Keybridge: status ${status}.`, detail);

  const refusal = refusalIn(answer);
  const reason = errorWords(refusal ?? {}, '', initialAccessToken) || `status ${status}`;
  const error = new AppError('E_REGISTRATION_REFUSED', `${host} did not register Keybridge (${reason}).`, detail);
  if (refusal && (refusal.error === 'invalid_redirect_uri' || blames(refusal, 'redirect_uri')))
    return { kind: 'redirect_refused', error };
  throw error;
}

const numberOf = (value: unknown): unknown =>
  typeof value === 'string' && /^\d{1,15}(\.\d+)?$/.test(value.trim()) ? Number(value) : value;

/** RFC 7591 3.2.1. Members that we do not use may be anything. */
const Client = z.object({
  client_id: z.string().regex(/^[\x20-\x7e]{1,2000}$/),
  client_secret: z
    .string()
    .regex(/^[\x20-\x7e]{1,4000}$/)
    .nullish(),
  // Some servers write numbers as strings; what is no number says nothing about the secret's end.
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
    new AppError(code, `${host} answered the registration ${what}.`);
  const parsed = Client.safeParse(value);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.map(String).join('.');
    throw invalid(at ? `with a bad ${sanitizeExternalText(at, 40)}` : 'with something that is no JSON object');
  }
  const {
    client_id,
    client_secret,
    client_secret_expires_at: expires,
    redirect_uris,
    token_endpoint_auth_method,
  } = parsed.data;
  if (redirect_uris && !redirect_uris.includes(redirectUri)) throw invalid('with another redirect URI than ours');
  const management = managementOf(parsed.data, endpoint);
  const clientAuth = authMethod(token_endpoint_auth_method ?? undefined, client_secret ?? undefined, server);
  if (!clientAuth)
    throw invalid(
      `with a way to authenticate that was not asked for: ${sanitizeExternalText(token_endpoint_auth_method, 40)}`,
    );
  return {
    clientId: client_id,
    clientAuth,
    ...(client_secret && clientAuth !== 'none' ? { clientSecret: new Secret(client_secret) } : {}),
    // 0 means never; in seconds.
    ...(expires && expires > 0 && client_secret && clientAuth !== 'none' ? { secretExpiresAt: expires * 1000 } : {}),
    ...(expires && expires > 0 ? { endsAt: expires * 1000 } : {}),
    ...(management ? { management } : {}),
  };
}

/** Only where both are there and good. The token goes nowhere but to the origin that gave it. */
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

/** The server's word counts; where it says nothing, a secret is there to be used. */
function authMethod(
  said: string | undefined,
  secret: string | undefined,
  server: AuthorizationServer,
): ClientAuth | undefined {
  if (said === 'none') return 'none';
  if (said === 'client_secret_basic' || said === 'client_secret_post') return secret === undefined ? undefined : said;
  if (said !== undefined) return undefined;
  if (secret === undefined) return 'none';
  const methods = server.token_endpoint_auth_methods_supported;
  return methods?.includes('client_secret_post') && !methods.includes('client_secret_basic')
    ? 'client_secret_post'
    : 'client_secret_basic';
}
