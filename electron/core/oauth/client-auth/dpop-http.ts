import { readJsonObject } from '../../../../shared/json.ts';
import { AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { createDpopKey, createDpopProofs, type DpopProofs } from './dpop.ts';
import type { Http, HttpResponse, HttpRequest, HttpStream } from '../../http/http.ts';

export interface DpopHttpDeps {
  readonly http: Http;
  /** The server's origin while its tokens are bound to a key; undefined for plain Bearer tokens. */
  readonly home: () => string | undefined;
  /** Throw E_STORE_*. */
  readonly readKey: () => Promise<Secret | undefined>;
  readonly keepKey: (key: Secret) => Promise<void>;
  /** Unix ms. */
  readonly now: () => number;
}

export interface DpopHttp extends Http {
  /** Reads the stored key again for the next proof. */
  forgetKey(): void;
}

/**
 * Binds the tokens of one server to a key (RFC 9449): adds a proof to each token request and to each request with an
 * access token, which is then sent as `DPoP` instead of `Bearer`. To callers the tokens are plain Bearer tokens. The
 * key is created for the first token request; without a key, requests are sent unchanged.
 */
export function createDpopHttp({ http, home, readKey, keepKey, now }: DpopHttpDeps): DpopHttp {
  let proofs: Promise<DpopProofs | undefined> | undefined;

  const load = async (mayCreate: boolean): Promise<DpopProofs | undefined> => {
    const stored = await readKey();
    if (stored) return createDpopProofs(stored, now);
    if (!mayCreate) return undefined;
    const created = await createDpopKey();
    await keepKey(created);
    return createDpopProofs(created, now);
  };
  const loadOnce = async (mayCreate: boolean): Promise<DpopProofs | undefined> => {
    const before = (proofs ?? Promise.resolve(undefined)).catch(() => undefined);
    proofs = before.then((loaded) => loaded ?? load(mayCreate));
    return proofs;
  };

  const fetchTokens = async (request: HttpRequest): Promise<HttpResponse> => {
    const key = await loadOnce(true);
    if (!key) return http.fetch(request);
    const send = async () => http.fetch(withHeaders(request, { dpop: await key.proof(request.method, request.url) }));
    const first = await send();
    const isNewNonce = key.learn(request.url, first.headers);
    if (!isNewNonce || !requiresNonce(first)) return checkBound(request, first);
    const second = await send();
    key.learn(request.url, second.headers);
    return checkBound(request, second);
  };

  const sendWithToken = async <Response extends HttpResponse | HttpStream>(
    request: HttpRequest,
    token: string,
    perform: (request: HttpRequest) => Promise<Response>,
  ): Promise<Response> => {
    const key = await loadOnce(false);
    if (!key) return perform(request);
    const send = async () => {
      const dpop = await key.proof(request.method, request.url, token);
      return perform(withHeaders(request, { authorization: `DPoP ${token}`, dpop }));
    };
    const first = await send();
    const isNewNonce = key.learn(request.url, first.headers);
    if (!isNewNonce || first.status !== 401 || !/\buse_dpop_nonce\b/.test(first.headers['www-authenticate'] ?? ''))
      return first;
    if ('destroy' in first.body) first.body.destroy();
    const second = await send();
    key.learn(request.url, second.headers);
    return second;
  };

  /** The access token of a request to the MCP server, if its tokens are bound. */
  const boundTokenOf = (request: HttpRequest): string | undefined =>
    home() === request.url.origin ? bearerOf(request) : undefined;

  return {
    ...http,
    fetch(request) {
      if (home() === undefined || request.ownBearer) return http.fetch(request);
      // A request with an access token to the authorization server (userinfo) needs a proof too.
      const token = request.forTokens ? bearerOf(request) : boundTokenOf(request);
      if (request.forTokens && token === undefined) return fetchTokens(request);
      return token === undefined ? http.fetch(request) : sendWithToken(request, token, (signed) => http.fetch(signed));
    },
    open(request) {
      const token = boundTokenOf(request);
      return token === undefined ? http.open(request) : sendWithToken(request, token, (signed) => http.open(signed));
    },
    forgetKey() {
      proofs = undefined;
    },
  };
}

const bearerOf = ({ headers }: Pick<HttpRequest, 'headers'>): string | undefined =>
  /^Bearer (\S+)$/.exec(headers?.['authorization'] ?? '')?.[1];

function withHeaders(request: HttpRequest, headers: Readonly<Record<string, string>>): HttpRequest {
  return { ...request, headers: { ...request.headers, ...headers } };
}

/** Whether the token endpoint requires a nonce (RFC 9449 8). */
const requiresNonce = ({ status, body }: HttpResponse): boolean =>
  status >= 400 && status < 500 && readJsonObject(body)?.['error'] === 'use_dpop_nonce';

/**
 * Presents a bound token as a Bearer token. Rejects one that is not bound (RFC 9449 5), except after a refresh, where
 * the response may contain the only valid refresh token.
 */
function checkBound(request: HttpRequest, response: HttpResponse): HttpResponse {
  const json = response.status >= 200 && response.status < 300 ? readJsonObject(response.body) : undefined;
  if (json?.['access_token'] === undefined) return response;
  const type = json['token_type'];
  if (typeof type === 'string' && type.toLowerCase() === 'dpop') return asBearer(response, json);
  if (new URLSearchParams(String(request.body ?? '')).get('grant_type') === 'refresh_token') return response;
  throw new AppError('E_TOKEN_RESPONSE', 'The token endpoint returned a token that is not bound to the DPoP key.');
}

function asBearer(response: HttpResponse, json: Readonly<Record<string, unknown>>): HttpResponse {
  try {
    return { ...response, body: Buffer.from(JSON.stringify({ ...json, token_type: 'Bearer' })) };
  } catch {
    // Nested too deeply to be serialized: the caller rejects the token for its type, and keeps the refresh token.
    return response;
  }
}
