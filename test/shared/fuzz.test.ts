import { describe, expect, it } from 'vitest';
import { readEnvelope, errorLine, idAtEnd, sameId } from '../../shared/json-rpc.ts';
import { createLineSplitter } from '../../shared/lines.ts';
import { createPendingRequests } from '../../electron/bridge/pending-requests.ts';
import { route, routeBody } from '../../electron/relay/response.ts';
import type { PendingRequest } from '../../electron/relay/model.ts';
import { readFacts } from '../../electron/relay/response-facts.ts';
import { serverErrorText } from '../../electron/relay/server-error-text.ts';
import { createSseParser } from '../../electron/relay/sse-parser.ts';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { AppError } from '../../electron/core/base/errors.ts';
import { isLoopbackHost } from '../../shared/loopback.ts';
import { retryAfterMs } from '../../electron/core/http/retry-after.ts';
import { bearerChallenge, parseChallenges } from '../../electron/core/oauth/discovery/challenge.ts';
import { describeDiscovery } from '../../electron/core/oauth/discovery/describe.ts';
import { discover } from '../../electron/core/oauth/discovery/discovery.ts';
import { createDpopHttp } from '../../electron/core/oauth/client-auth/dpop-http.ts';
import { createDpopKey } from '../../electron/core/oauth/client-auth/dpop.ts';
import { deviceCode } from '../../electron/core/oauth/token-endpoint/device-authorization.ts';
import { verifyIdToken } from '../../electron/core/oauth/identity/id-token.ts';
import { introspect } from '../../electron/core/oauth/inspection/introspection.ts';
import { createKeySets } from '../../electron/core/oauth/identity/jwks.ts';
import { decodedClaims, displayClaims } from '../../electron/core/oauth/identity/jwt-claims.ts';
import { parseAuthorizationResponse } from '../../electron/core/oauth/authorization/authorization-response.ts';
import { registerClient } from '../../electron/core/oauth/registration/registration-request.ts';
import { createAttempt } from '../../electron/core/oauth/authorization/attempt.ts';
import { readTokenResponse } from '../../electron/core/oauth/token-endpoint/token-response.ts';
import { exchangeCode, refresh } from '../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { lintAccessToken } from '../../electron/core/oauth/inspection/token-lint.ts';
import { fetchUserinfo } from '../../electron/core/oauth/identity/userinfo.ts';
import { Secret } from '../../electron/core/base/secret.ts';
import { fault, rounds, seed } from '../fixtures/fuzz.ts';
import { chunked, damaged, distortedJson } from '../fixtures/random.ts';
import type { Http, HttpResponse } from '../../electron/core/http/http.ts';
import type { TokenClient } from '../../electron/core/oauth/model.ts';

const emptyBody = { destroy: () => {}, async *[Symbol.asyncIterator]() {} };

/** An HTTP client whose other side says what `answer` says; nothing leaves this process. */
const answering = (answer: (url: URL) => Partial<HttpResponse>): Http => ({
  fetch: async ({ url }) => ({ status: 200, headers: {}, body: Buffer.alloc(0), ...answer(url) }),
  open: async ({ url }) => ({ status: 401, headers: {}, ...answer(url), body: emptyBody }),
  classOf: async () => 'public',
  withTls: () => {
    throw new Error('not here');
  },
  close: async () => {},
});

describe(`random damage, seed ${seed}`, () => {
  it('a WWW-Authenticate header is read to its end, and no more is kept of it than it has', async () => {
    const good = [
      'Bearer resource_metadata="https://h/p", scope="a b", error="invalid_token"',
      'Basic realm="x, y", DPoP algs="ES256", Bearer scope=a',
      'Negotiate YII==, Bearer realm="a\\"b"',
    ];
    await rounds(5_000, (random) => {
      const header = damaged(random, random.pick(good), good);
      const kept = parseChallenges(header).flatMap(({ scheme, params }) => [
        scheme,
        ...params.keys(),
        ...params.values(),
      ]);
      expect(kept.join('').length).toBeLessThanOrEqual(header.length);
      bearerChallenge(header);
    });
  });

  it('metadata leads to a discovery that is fit to be used, or to an error that names what is wrong', async () => {
    const origin = 'https://mcp.example';
    const resource = {
      resource: `${origin}/mcp`,
      authorization_servers: ['https://login.example/tenant'],
      scopes_supported: ['a', 'b'],
      resource_name: 'Tools',
      dpop_bound_access_tokens_required: true,
    };
    const endpoint = (name: string) => `https://login.example/${name}?x=1`;
    const metadata = {
      issuer: 'https://login.example/tenant',
      authorization_endpoint: endpoint('authorize'),
      token_endpoint: endpoint('token'),
      registration_endpoint: endpoint('register'),
      revocation_endpoint: endpoint('revoke'),
      pushed_authorization_request_endpoint: endpoint('par'),
      introspection_endpoint: endpoint('introspect'),
      userinfo_endpoint: endpoint('me'),
      jwks_uri: endpoint('jwks'),
      scopes_supported: ['a', 'offline_access'],
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none'],
      authorization_response_iss_parameter_supported: true,
      dpop_signing_alg_values_supported: ['ES256'],
    };
    const headers = {
      'www-authenticate': 'Bearer scope="a b", resource_metadata="/.well-known/oauth-protected-resource/mcp"',
    };
    let found = 0;
    await rounds(1_500, async (random) => {
      const asText = random.chance(0.1);
      const one = (value: unknown): Partial<HttpResponse> => {
        const status = random.chance(0.05) ? random.pick([204, 302, 404, 500]) : 200;
        return {
          status,
          headers: random.chance(0.1) ? { location: damaged(random, `${origin}/elsewhere`) } : {},
          body: asText
            ? Buffer.from(damaged(random, JSON.stringify(value)))
            : Buffer.from(distortedJson(random, value)),
        };
      };
      const http = answering(({ pathname }) =>
        pathname === '/mcp'
          ? {
              status: 401,
              headers: {
                'www-authenticate': random.chance(0.3)
                  ? damaged(random, headers['www-authenticate'])
                  : headers['www-authenticate'],
              },
            }
          : one(pathname.includes('protected-resource') ? resource : metadata),
      );
      await fault(async () => {
        const discovery = await discover(new URL(`${origin}/mcp`), { http });
        if (discovery.kind !== 'protected') return;
        found += 1;
        const { authorizationServer: server, scopes, resourceName = '' } = discovery;
        for (const text of [
          server.authorization_endpoint,
          server.token_endpoint,
          server.registration_endpoint,
          server.revocation_endpoint,
          server.pushed_authorization_request_endpoint,
        ]) {
          if (text === undefined) continue;
          const url = new URL(text);
          expect(url.href).toBe(text);
          expect(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url))).toBe(true);
          expect(url.username + url.password + url.hash).toBe('');
        }
        expect(resourceName.length).toBeLessThanOrEqual(80);
        for (const scope of scopes) expect(scope).toMatch(/^[\x21-\x7e]{1,200}$/);
        describeDiscovery(new URL(`${origin}/mcp`), discovery);
      });
    });
    // Some must get through, or nothing behind the parser was tried.
    expect(found).toBeGreaterThan(100);
  });

  it('a token answer gives tokens that a header can carry, or no tokens; openid-client behind it throws nothing', async () => {
    const good = {
      access_token: 'the-access-token',
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: 'the-refresh-token',
      scope: 'a b',
      id_token: 'e30.e30.e30',
    };
    const client: TokenClient = {
      issuer: 'https://login.example',
      tokenEndpoint: 'https://login.example/token',
      clientId: 'c',
      clientAuth: 'none',
      resource: 'https://mcp.example/mcp',
      allow: ['public'],
    };
    const key = await createDpopKey();
    let tokens = 0;
    await rounds(2_000, async (random, number) => {
      const value = random.chance(0.3)
        ? { error: 'invalid_grant', error_description: 'x', ...good }
        : { ...good, token_type: random.pick(['Bearer', 'DPoP']) };
      const usual = random.chance(0.4) ? damaged(random, JSON.stringify(value)) : distortedJson(random, value);
      // The first one is too deep to be written again, with a key as its proof.
      const body = Buffer.from(
        number === 0
          ? `{"access_token":"a","token_type":"DPoP","refresh_token":"the-refresh-token","x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`
          : usual,
      );
      const answer = {
        status: number === 0 ? 200 : random.pick([200, 200, 200, 201, 302, 400, 401, 429, 500]),
        headers: { 'retry-after': damaged(random, '7') },
        body,
      };
      const verdict = readTokenResponse(answer, 0);
      if (verdict.kind === 'tokens') {
        tokens += 1;
        expect(verdict.tokens.accessToken.reveal()).toMatch(/^[\x21-\x7e]+$/);
        expect(verdict.tokens.expiresInMs ?? 1).toBeGreaterThan(0);
      }
      if (verdict.kind === 'unclear') expect(verdict.fault.message).not.toMatch(/the-(access|refresh)-token/);
      if (number === 0 || random.chance(0.08)) {
        const http = answering(() => answer);
        for (const one of [
          http,
          createDpopHttp({
            http,
            home: () => 'https://mcp.example',
            readKey: async () => key,
            keepKey: async () => {},
            now: () => 0,
          }),
        ]) {
          const outcome = await refresh(client, new Secret('r'), {}, { http: one });
          // E_ENDPOINT_REFUSED: something threw where the answer is read.
          expect('error' in outcome ? outcome.error.code : outcome.kind).toMatch(
            /^(?!E_UNEXPECTED|E_ENDPOINT_REFUSED)/,
          );
          // What has been rotated is not lost, however odd the rest of the answer is.
          const kept =
            outcome.kind === 'refreshed'
              ? outcome.tokens.refreshToken
              : outcome.kind === 'unreachable'
                ? outcome.rotated
                : undefined;
          if (verdict.kind === 'unclear' && verdict.rotated) expect(kept?.equals(verdict.rotated)).toBe(true);
        }
        await fault(() =>
          exchangeCode(
            client,
            {
              code: new Secret('c'),
              codeVerifier: new Secret('v'.repeat(43)),
              redirectUri: 'http://127.0.0.1:1/callback',
            },
            { http },
          ),
        );
      }
    });
    expect(tokens).toBeGreaterThan(100);
  });

  it('what tells who signed in is a verdict, claims as text or nothing, and never an error', async () => {
    const claims = {
      iss: 'https://login.example',
      sub: 'ada',
      aud: 'c',
      exp: 1_800_000_000,
      iat: 1,
      nonce: 'n',
      at_hash: 'h',
      name: 'Ada',
      groups: ['a', { b: null }],
    };
    const keys = {
      keys: [
        { kty: 'RSA', kid: '1', alg: 'RS256', n: 'AQAB', e: 'AQAB' },
        { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
      ],
    };
    const client: TokenClient = {
      issuer: 'https://login.example',
      tokenEndpoint: 'https://login.example/t',
      introspectionEndpoint: 'https://login.example/i',
      clientId: 'c',
      clientAuth: 'none',
      resource: 'https://mcp.example/mcp',
      allow: ['public'],
    };
    const kinds = new Set<string>();
    await rounds(800, async (random) => {
      const http = answering(() => ({
        status: random.chance(0.9) ? 200 : 500,
        body: random.chance(0.4)
          ? Buffer.from(damaged(random, JSON.stringify(keys)))
          : Buffer.from(distortedJson(random, random.chance(0.5) ? keys : { ...claims, active: true })),
      }));
      const header = { alg: random.pick(['RS256', 'ES256', 'none', 'HS256', 'x']), kid: '1' };
      const jwt = [JSON.stringify(header), distortedJson(random, claims), 'signature']
        .map((part) => Buffer.from(part).toString('base64url'))
        .join('.');
      const token = random.chance(0.5) ? jwt : damaged(random, jwt);
      const expected = {
        issuer: 'https://login.example',
        clientId: 'c',
        accessToken: new Secret('a'),
        now: 0,
        ...(random.chance(0.5) ? { nonce: new Secret('n') } : {}),
      };
      const find = createKeySets(systemClock()).keysAt({
        owner: 'o',
        uri: 'https://login.example/jwks',
        http,
        allow: ['public'],
      });
      const verdict = await verifyIdToken(new Secret(token), expected, find);
      kinds.add(verdict.kind);
      const read = decodedClaims(token);
      if (read)
        for (const note of lintAccessToken(read, {
          url: 'https://mcp.example/mcp',
          resource: 'x',
          issuer: 'https://login.example',
          grantedScopes: ['a'],
          receivedAt: 0,
          now: 0,
        }))
          expect(note).not.toMatch(/[\u0000-\u001f\u202e]/);
      for (const [name, value] of Object.entries(read ? displayClaims(read) : {}))
        expect(`${name}${value}`).not.toMatch(/[\u0000-\u001f\u202e]/);
      await fetchUserinfo({
        http,
        allow: ['public'],
        endpoint: 'https://login.example/me',
        accessToken: new Secret('a'),
        sub: 'ada',
      });
      for (const value of Object.values((await introspect(client, new Secret('a'), { http }))?.claims ?? {}))
        expect(value).not.toMatch(/[\u0000-\u001f\u202e]/);
    });
    // Nobody has signed any of them.
    expect([...kinds].toSorted()).toEqual(['unverified', 'wrong']);
  });

  it('a registration answer gives a client that can be used, or one of our errors', async () => {
    const redirectUri = 'http://127.0.0.1:33427/callback/x';
    const good = {
      client_id: 'c',
      client_secret: 's',
      client_secret_expires_at: 0,
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'client_secret_basic',
      registration_access_token: 't',
      registration_client_uri: 'https://login.example/register/c',
    };
    const authorizationServer = {
      issuer: 'https://login.example',
      authorization_endpoint: 'https://login.example/a',
      token_endpoint: 'https://login.example/t',
    };
    let clients = 0;
    await rounds(1_500, async (random) => {
      const value = random.chance(0.2) ? { error: 'invalid_client_metadata', error_description: 'scope' } : good;
      const body = random.chance(0.4)
        ? Buffer.from(damaged(random, JSON.stringify(value)))
        : Buffer.from(distortedJson(random, value));
      const http = answering(() => ({ status: random.pick([200, 201, 201, 201, 302, 400, 429, 500]), body }));
      await fault(async () => {
        const answer = await registerClient(http, {
          endpoint: 'https://login.example/register',
          authorizationServer,
          allow: ['public'],
          redirectUri,
          scopes: ['a'],
        });
        if (answer.kind !== 'registered') return;
        clients += 1;
        const { clientId, management, secretExpiresAt = 1 } = answer.client;
        expect(clientId).toMatch(/^[\x20-\x7e]{1,2000}$/);
        expect(secretExpiresAt).toBeGreaterThan(0);
        if (management) expect(new URL(management.uri).origin).toBe('https://login.example');
      });
    });
    expect(clients).toBeGreaterThan(200);
  });

  it('a device code is one that a person can enter at an https page, or one of our errors', async () => {
    const client: TokenClient = {
      issuer: 'https://login.example',
      tokenEndpoint: 'https://login.example/t',
      clientId: 'c',
      clientAuth: 'none',
      resource: 'https://mcp.example/mcp',
      allow: ['public'],
    };
    const good = {
      device_code: 'd',
      user_code: 'WDJB-MJHT',
      verification_uri: 'https://login.example/device',
      verification_uri_complete: 'https://login.example/device?user_code=WDJB-MJHT',
      expires_in: 900,
      interval: 5,
    };
    let codes = 0;
    await rounds(500, async (random) => {
      const body = random.chance(0.3)
        ? Buffer.from(damaged(random, JSON.stringify(good)))
        : Buffer.from(distortedJson(random, good));
      const http = answering(() => ({ status: random.pick([200, 200, 200, 400, 500]), body }));
      await fault(async () => {
        const { url, userCode, expiresInMs, intervalMs } = await deviceCode(
          client,
          'https://login.example/device_authorization',
          ['a'],
          { http, clock: systemClock() },
        );
        codes += 1;
        expect(url.protocol === 'https:' || isLoopbackHost(url)).toBe(true);
        expect(url.username + url.password).toBe('');
        expect(userCode).toMatch(/^[\x20-\x7e]{1,64}$/);
        expect([expiresInMs > 0, expiresInMs <= 86_400_000, intervalMs >= 1_000, intervalMs <= 300_000]).toEqual([
          true,
          true,
          true,
          true,
        ]);
      });
    });
    expect(codes).toBeGreaterThan(50);
  });

  it('an address that comes back from the browser gives a code only with our state and issuer', async () => {
    const [state, issuer] = ['the-state-of-this-sign-in', 'https://login.example'];
    const good = new URLSearchParams({ code: 'the-code', state, iss: issuer }).toString();
    const refused = new URLSearchParams({
      error: 'access_denied',
      error_description: 'no',
      state,
      iss: issuer,
    }).toString();
    const redirectUri = 'http://127.0.0.1:33427/callback/0123456789ab';
    let [codes, strangers] = [0, 0];
    await rounds(5_000, async (random) => {
      const whole = random.pick([good, refused]);
      const query = random.chance(0.1) ? whole : damaged(random, whole, [good, refused]);
      const params = new URLSearchParams(query);
      const verdict = parseAuthorizationResponse(params, { state: new Secret(state), issuer, issSupported: true });
      if (verdict.kind === 'unrelated') strangers += 1;
      else expect([params.getAll('state')]).toEqual([[state]]);
      if (verdict.kind === 'code') {
        codes += 1;
        expect(params.getAll('iss')).toEqual([issuer]);
      }
      if (verdict.kind === 'refused') await fault(() => Promise.reject(verdict.error));
      const attempt = createAttempt(systemClock(), () => {});
      attempt.awaitResponseAt(redirectUri, { state: new Secret(state), issuer, issSupported: true });
      const error = await fault(() => attempt.paste(damaged(random, `${redirectUri}?${query}`)));
      if (error) expect(error.message).not.toContain('the-code');
    });
    expect(codes).toBeGreaterThan(100);
    expect(strangers).toBeGreaterThan(500);
  });

  it('Retry-After is a time from now to a day, or nothing', async () => {
    const good = ['120', 'Thu, 01 Jan 2026 00:00:10 GMT', '0', '-1', '1e9'];
    await rounds(5_000, (random) => {
      const ms = retryAfterMs(
        {
          'retry-after': damaged(random, random.pick(good), good),
          date: damaged(random, 'Thu, 01 Jan 2026 00:00:00 GMT'),
        },
        0,
      );
      expect(ms === undefined || (ms >= 0 && ms <= 3_600_000)).toBe(true);
    });
  });

  it('a stream of events is the same however it is cut, and no event is above the cap', async () => {
    const good =
      'event: message\nid: 1\nretry: 10\ndata: {"jsonrpc":"2.0",\ndata: "id":1,"result":{}}\n\n: comment\r\n\r\ndata: x\r\rdata\n\n\ufeffid\ndata: ä😀\n\n';
    const read = (pieces: readonly Buffer[], cap: number): string => {
      const parser = createSseParser(cap);
      const seen: string[] = [];
      try {
        for (const piece of pieces)
          for (const { data, type } of parser.push(piece)) seen.push(`${type}|${String(data)}`);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'E_TOO_LARGE') throw error;
        seen.push('E_TOO_LARGE');
      }
      for (const event of seen) expect(Buffer.byteLength(event)).toBeLessThan(cap + 9_000);
      return JSON.stringify([seen, parser.lastEventId, parser.retryMs]);
    };
    await rounds(2_000, (random) => {
      const bytes = Buffer.from(damaged(random, good));
      expect(read(chunked(random, bytes), 100_000)).toBe(read([bytes], 100_000));
      read(chunked(random, bytes), 20);
    });
  });

  it('lines are the same however they are cut, and a long one leaves no more than its ends', async () => {
    const good = '{"id":1,"method":"a"}\n\n  {"id":2}\r\n\ufeff{"id":3}\nlast without an end';
    const read = (pieces: readonly Buffer[], maxBytes: number): string => {
      const seen: string[] = [];
      const splitter = createLineSplitter<Buffer>({
        maxBytes,
        concat: (parts, length) => Buffer.concat(parts, length),
        onLine: (line) => void seen.push(line.toString('latin1')),
        onTooLong: (head, tail) =>
          void seen.push(
            `too long ${tail.toString('latin1').slice(-10)}${head.length > 70_000 ? 'much was kept' : ''}`,
          ),
      });
      for (const piece of pieces) splitter.push(piece);
      return JSON.stringify(seen);
    };
    await rounds(3_000, (random) => {
      const bytes = Buffer.from(damaged(random, good));
      for (const cap of [15, 100_000]) expect(read(chunked(random, bytes), cap)).toBe(read([bytes], cap));
      expect(read([bytes], 15)).not.toContain('much was kept');
    });
  });

  it('what a server says when it refuses is a sentence that is fit to be shown, scopes, or nothing', async () => {
    const good = [
      { error: 'insufficient_scope', error_description: 'The token lacks scopes.', scope: 'a b' },
      { error: { code: -32_000, message: 'Required scopes are missing' }, missing_scopes: ['a', 'b'] },
      { message: 'Not for you', detail: 'Ask your admin' },
    ];
    let scopes = 0;
    await rounds(1_000, async (random) => {
      const value = random.pick(good);
      const body = Buffer.from(
        random.chance(0.4) ? damaged(random, JSON.stringify(value)) : distortedJson(random, value),
      );
      const words = serverErrorText(body, undefined);
      expect(words).not.toMatch(/[\u0000-\u001f\u202a-\u202e\u2028]/);
      expect(words.length).toBeLessThan(300);
      async function* chunks() {
        yield* chunked(random, body, 4_000);
      }
      const headers = random.chance(0.5)
        ? { 'www-authenticate': damaged(random, 'Bearer error="insufficient_scope", scope="a b"') }
        : {};
      const refusal = await readFacts(
        { status: 403, headers, body: Object.assign(chunks(), { destroy: () => {} }) },
        systemClock(),
      );
      if (refusal.facts.lacksScopes) scopes += 1;
      const again: Buffer[] = [];
      for await (const chunk of refusal.stream.body) again.push(chunk);
      expect(Buffer.concat(again).equals(body)).toBe(true);
    });
    expect(scopes).toBeGreaterThan(200);
  });

  it('JSON-RPC of a server is an answer, passed on or dropped, and what goes to the host is one line with its id', async () => {
    const asked = Buffer.from('{"jsonrpc":"2.0","id":"a\\u0041","method":"tools/call"}');
    const request: PendingRequest = { line: asked, envelope: readEnvelope(asked) as PendingRequest['envelope'] };
    const good = [
      '{"jsonrpc":"2.0","id":"aA","result":{"content":[{"type":"text","text":"a,b:{}[]\\\\"}],"n":1.5e3}}',
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}',
      '[{"jsonrpc":"2.0","method":"notifications/message","params":{}},{"jsonrpc":"2.0","id":"aA","result":{}}]',
    ];
    let answers = 0;
    await rounds(5_000, async (random) => {
      const text = damaged(random, random.pick(good), good);
      const lines: Buffer[] = [];
      const handler = {
        onResponse: (line: Buffer) => {
          answers += 1;
          const { id } = readEnvelope(line);
          expect(sameId(id, request.envelope.id) || id === request.envelope.id).toBe(true);
          lines.push(line);
        },
        onServerMessage: (line: Buffer) => void lines.push(line),
        drained: () => undefined,
      };
      await fault(() => route(Buffer.from(text), request, handler, { status: 200, headers: {} }));
      await fault(() =>
        routeBody(
          Buffer.from(text),
          request,
          { ...handler, onResponse: () => {} },
          { status: random.pick([200, 400, 404, 500]), headers: {}, body: emptyBody },
          'work',
        ),
      );
      for (const line of lines) {
        expect(line.includes(0x0a)).toBe(false);
        expect({ text, line: JSON.parse(line.toString('utf8')) as unknown }).toMatchObject({
          line: { jsonrpc: '2.0' },
        });
      }
      const ledger = createPendingRequests();
      ledger.sent(asked);
      ledger.sent(Buffer.from(text));
      ledger.received(Buffer.from(text));
      const id = idAtEnd(text);
      if (id !== undefined) JSON.parse(errorLine(id, { code: 'E_BAD_MESSAGE', message: 'm', remedy: 'r' }));
    });
    expect(answers).toBeGreaterThan(200);
  });
});
