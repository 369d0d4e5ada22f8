import { readJsonObject } from '../../../../shared/json.ts';
import { AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { createDpopKey, createDpopProofs, type DpopProofs } from './dpop.ts';
import type { Http, HttpResponse, HttpRequest, HttpStream } from '../../http/http.ts';

export interface DpopHttpDeps {
  readonly http: Http;
  /** The server's origin while its tokens are to be bound to a key; undefined: they are plain Bearer tokens. */
  readonly home: () => string | undefined;
  /** Where the key lies. Throw E_STORE_*. */
  readonly readKey: () => Promise<Secret | undefined>;
  readonly keepKey: (key: Secret) => Promise<void>;
  /** Unix ms. */
  readonly now: () => number;
}

export interface DpopHttp extends Http {
  /** The next proof comes from the key that is stored then. */
  forgetKey(): void;
}

/**
 * Binds the tokens of one server to a key (RFC 9449): a proof with each token request, and with each request to the
 * server that has an access token, which goes as `DPoP` and not as `Bearer`. What makes and uses tokens need not know.
 * The key is made at the first token request. Where there is none, a token cannot be bound, and goes as it is.
 */
export function createDpopHttp({ http, home, readKey, keepKey, now }: DpopHttpDeps): DpopHttp {
  let key: Promise<DpopProofs | undefined> | undefined;

  const load = async (make: boolean): Promise<DpopProofs | undefined> => {
    const stored = await readKey();
    if (stored) return createDpopProofs(stored, now);
    if (!make) return undefined;
    const made = await createDpopKey();
    await keepKey(made);
    return createDpopProofs(made, now);
  };
  const proofsOf = async (make: boolean): Promise<DpopProofs | undefined> => {
    const loading = (key ?? Promise.resolve(undefined)).catch(() => undefined).then((known) => known ?? load(make));
    key = loading;
    return loading;
  };

  const fetchTokens = async (request: HttpRequest): Promise<HttpResponse> => {
    const proofs = await proofsOf(true);
    if (!proofs) return http.fetch(request);
    const send = async () =>
      http.fetch(withHeaders(request, { dpop: await proofs.proof(request.method, request.url) }));
    const first = await send();
    const renewed = proofs.learn(request.url, first.headers);
    if (!renewed || !wantsNonce(first)) return bound(request, first);
    const second = await send();
    proofs.learn(request.url, second.headers);
    return bound(request, second);
  };

  const call = async <Answer extends HttpResponse | HttpStream>(
    request: HttpRequest,
    token: string,
    perform: (request: HttpRequest) => Promise<Answer>,
  ): Promise<Answer> => {
    const proofs = await proofsOf(false);
    if (!proofs) return perform(request);
    const send = async () =>
      perform(
        withHeaders(request, {
          authorization: `DPoP ${token}`,
          dpop: await proofs.proof(request.method, request.url, token),
        }),
      );
    const first = await send();
    const renewed = proofs.learn(request.url, first.headers);
    if (!renewed || first.status !== 401 || !/\buse_dpop_nonce\b/.test(first.headers['www-authenticate'] ?? ''))
      return first;
    if ('destroy' in first.body) first.body.destroy();
    const second = await send();
    proofs.learn(request.url, second.headers);
    return second;
  };

  /** The access token of a request to the server, where tokens are bound. */
  const tokenIn = (request: HttpRequest): string | undefined =>
    home() === request.url.origin ? bearerOf(request) : undefined;

  return {
    ...http,
    fetch(request) {
      if (home() === undefined || request.ownBearer) return http.fetch(request);
      // An access token at the authorization server (userinfo) needs its proof as much as at the MCP server.
      const token = request.forTokens ? bearerOf(request) : tokenIn(request);
      if (request.forTokens && token === undefined) return fetchTokens(request);
      return token === undefined ? http.fetch(request) : call(request, token, (proved) => http.fetch(proved));
    },
    open(request) {
      const token = tokenIn(request);
      return token === undefined ? http.open(request) : call(request, token, (proved) => http.open(proved));
    },
    forgetKey() {
      key = undefined;
    },
  };
}

const bearerOf = ({ headers }: Pick<HttpRequest, 'headers'>): string | undefined =>
  /^Bearer (\S+)$/.exec(headers?.['authorization'] ?? '')?.[1];

function withHeaders(request: HttpRequest, headers: Readonly<Record<string, string>>): HttpRequest {
  return { ...request, headers: { ...request.headers, ...headers } };
}

/** RFC 9449 8: an error object like any other of the token endpoint. */
const wantsNonce = ({ status, body }: HttpResponse): boolean =>
  status >= 400 && status < 500 && readJsonObject(body)?.['error'] === 'use_dpop_nonce';

/**
 * What is bound to our key is as good as a Bearer token to everyone above. A token that is not bound is refused (RFC
 * 9449 5), but for a refresh, where the answer may hold the only refresh token.
 */
function bound(request: HttpRequest, answer: HttpResponse): HttpResponse {
  const json = answer.status >= 200 && answer.status < 300 ? readJsonObject(answer.body) : undefined;
  if (json?.['access_token'] === undefined) return answer;
  const type = json['token_type'];
  if (typeof type === 'string' && type.toLowerCase() === 'dpop') return asBearer(answer, json);
  if (new URLSearchParams(String(request.body ?? '')).get('grant_type') === 'refresh_token') return answer;
  throw new AppError('E_TOKEN_RESPONSE', 'The token endpoint returned a token that is not bound to the DPoP key.');
}

function asBearer(answer: HttpResponse, json: Readonly<Record<string, unknown>>): HttpResponse {
  try {
    return { ...answer, body: Buffer.from(JSON.stringify({ ...json, token_type: 'Bearer' })) };
  } catch {
    // Nested too deep to be written again: who reads it refuses it for its type, and keeps its refresh token.
    return answer;
  }
}
