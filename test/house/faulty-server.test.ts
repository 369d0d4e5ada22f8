// The fault-injecting server does what the names of its scenarios say, and nothing else.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { scenarioNames, startFaulty, type Faulty } from '../fixtures/faulty-server.ts';
import type { FaultyOptions } from '../fixtures/faulty/world.ts';
import { startListener } from '../fixtures/listener.ts';
import { until } from '../fixtures/wait.ts';

type Step =
  | 'challenge'
  | 'prm'
  | 'metadata'
  | 'register'
  | 'authorize'
  | 'token'
  | 'refresh'
  | 'reuse'
  | 'initialize'
  | 'list'
  | 'call'
  | 'again';
type Transcript = Record<Step, string>;

const redirectUri = 'http://127.0.0.1:1/callback';
const verifier = randomBytes(32).toString('base64url');
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function faultyWith(options: FaultyOptions): Promise<Faulty> {
  const faulty = await startFaulty(options);
  closers.push(faulty.close);
  return faulty;
}

/** What came back: status, the headers that matter and the first 20 KB. Never throws, never waits longer than that. */
async function ask(url: string, init: RequestInit = {}, withinMs = 3_000) {
  const deadline = AbortSignal.timeout(withinMs);
  let head = '';
  let body = '';
  let headers = new Headers();
  try {
    const answer = await fetch(url, { redirect: 'manual', ...init, signal: deadline });
    headers = answer.headers;
    const kept = ['content-type', 'location', 'www-authenticate', 'retry-after'].map(
      (name) => `${name}: ${headers.get(name) ?? ''}`,
    );
    head = [answer.status, ...kept].join('\n');
    for await (const chunk of answer.body ?? []) {
      body += Buffer.from(chunk as Uint8Array).toString('latin1');
      if (body.length > 20_000) break;
    }
  } catch (error) {
    body += deadline.aborted ? '[no end]' : `[cut: ${(error as Error).name}]`;
  }
  return { text: `${head}\n\n${body.slice(0, 20_000)}`, headers, body };
}

const member = (body: string, name: string): string => (JSON.parse(body) as Record<string, string>)[name] ?? '';
const form = (fields: Record<string, string>): RequestInit => ({ method: 'POST', body: new URLSearchParams(fields) });
const registration: RequestInit = {
  method: 'POST',
  body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
};

function authorizationUrl(faulty: Faulty, clientId: string, redirect = redirectUri): string {
  const parameters = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirect,
    state: 'the-state',
    resource: faulty.url,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  return `${faulty.issuer}/authorize?${parameters.toString()}`;
}

async function codeFrom(faulty: Faulty, clientId: string): Promise<string> {
  const { headers } = await ask(authorizationUrl(faulty, clientId));
  return new URL(headers.get('location') ?? '').searchParams.get('code') ?? '';
}

const exchange = (faulty: Faulty, clientId: string, code: string, withinMs?: number) => {
  const fields = {
    grant_type: 'authorization_code',
    client_id: clientId,
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  };
  return ask(`${faulty.issuer}/token`, form(fields), withinMs);
};

const refreshWith = (faulty: Faulty, clientId: string, refreshToken: string, withinMs?: number) =>
  ask(
    `${faulty.issuer}/token`,
    form({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken }),
    withinMs,
  );

const rpc = (method: string, params: unknown = {}, id: number | undefined = 1) =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });
const toolCall = rpc('tools/call', { name: 'echo', arguments: { text: 'hello' } });

/** A client and its tokens, got while the server is healthy. */
async function signedIn(faulty: Faulty) {
  await faulty.setScenario('healthy');
  const clientId = member((await ask(`${faulty.issuer}/register`, registration)).body, 'client_id');
  const { body } = await exchange(faulty, clientId, await codeFrom(faulty, clientId));
  return {
    clientId,
    access: member(body, 'access_token'),
    refresh: member(body, 'refresh_token'),
    code: await codeFrom(faulty, clientId),
  };
}

const post = (faulty: Faulty, access: string, body: string, session?: string, withinMs?: number) =>
  ask(
    faulty.url,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${access}`, ...(session === undefined ? {} : { 'mcp-session-id': session }) },
      body,
    },
    withinMs,
  );

/** One request to everything that there is. */
async function probe(faulty: Faulty, name: string): Promise<Transcript> {
  const { clientId, access, refresh, code } = await signedIn(faulty);
  await faulty.setScenario(name, { times: name === 'healthy' ? 0 : Infinity, expiresIn: 'soon', bytes: 1_000_000 });
  // Where no answer will come the wait for it is short; elsewhere a busy machine gets its time.
  const patience = /hang|slow|hold|comments|server-request/.test(name) ? 400 : undefined;
  const initialized = await post(faulty, access, rpc('initialize'));
  const session = initialized.headers.get('mcp-session-id') ?? undefined;
  const answers = {
    initialize: initialized,
    list: await post(faulty, access, rpc('tools/list'), session),
    call: await post(faulty, access, toolCall, session, patience),
    again: await post(faulty, access, toolCall, session, patience),
    challenge: await ask(faulty.url, { method: 'POST', body: rpc('initialize') }),
    prm: await ask(faulty.url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp'), {}, patience),
    metadata: await ask(`${faulty.issuer}/.well-known/oauth-authorization-server`, {}, patience),
    register: await ask(`${faulty.issuer}/register`, registration),
    authorize: await ask(authorizationUrl(faulty, clientId)),
    token: await exchange(faulty, clientId, code, patience),
    refresh: await refreshWith(faulty, clientId, refresh, patience),
    reuse: await refreshWith(faulty, clientId, refresh, patience),
  };
  const random = /kb-(code|access|refresh)-[\w-]+|client-\d+|[\da-f]{8}-[\da-f-]{27}|(?<="client_id_issued_at":)\d+/g;
  return Object.fromEntries(
    Object.entries(answers).map(([step, { text }]) => [
      step,
      text.replaceAll(random, (found) => (found.length < 1_000 ? '*' : 'long')),
    ]),
  ) as Transcript;
}

describe('each scenario', () => {
  let faulty: Faulty;
  let healthy: Transcript;
  beforeAll(async () => {
    faulty = await startFaulty();
    healthy = await probe(faulty, 'healthy');
  });
  afterAll(() => faulty.close());

  it('is healthy where nothing is said', () => {
    expect(Object.fromEntries(Object.entries(healthy).map(([step, text]) => [step, text.split('\n')[0]]))).toEqual({
      initialize: '200',
      list: '200',
      call: '200',
      again: '200',
      challenge: '401',
      prm: '200',
      metadata: '200',
      register: '201',
      authorize: '302',
      token: '200',
      refresh: '200',
      reuse: '200',
    });
  });

  /** Steps that a scenario may touch, by the start of its name or by its whole name. */
  const touches: Record<string, Step[]> = {
    'healthy-': ['refresh', 'reuse'],
    'as-': ['metadata'],
    'prm-': ['prm', 'challenge'],
    'www-auth-': ['challenge'],
    'authz-': ['authorize'],
    'dcr-': ['register', 'metadata'],
    'token-': ['token'],
    'refresh-': ['refresh', 'reuse'],
    'mcp-': ['call', 'again'],
    'sse-': ['call', 'again'],
    'as-migrates': ['prm'],
    'as-moved': ['prm', 'call', 'again'],
    'as-moved-down': ['prm', 'metadata', 'register', 'authorize', 'token', 'refresh', 'reuse'],
    'as-down': ['metadata', 'register', 'authorize', 'token', 'refresh', 'reuse'],
    'refresh-as-down': ['metadata', 'register', 'authorize', 'token', 'refresh', 'reuse'],
    'rs-down': ['challenge', 'prm', 'initialize', 'list', 'call', 'again'],
    'dcr-forgotten': ['authorize', 'token', 'refresh', 'reuse'],
    // Cut before anything is known of the request: every POST.
    'mcp-reset-before': ['challenge', 'initialize', 'list', 'call', 'again'],
    'mcp-403-missing-scopes': ['prm', 'call', 'again'],
    'mcp-403-no-token': ['challenge'],
    'mcp-open-handshake': ['challenge'],
    'as-no-iss': ['metadata', 'authorize'],
    'as-republished': ['metadata', 'authorize'],
    'mcp-session-404': ['initialize', 'list', 'call', 'again'],
    'captive-portal': [
      'challenge',
      'prm',
      'metadata',
      'register',
      'authorize',
      'token',
      'refresh',
      'reuse',
      'initialize',
      'list',
      'call',
      'again',
    ],
  };
  // These differ by what they do besides their answer; they have tests of their own below.
  const sameAnswer = new Set(['healthy', 'short-lived', 'authz-replay', 'refresh-same-at']);

  it.each(scenarioNames.filter((name) => !sameAnswer.has(name)))(
    '%s changes what its name says and leaves the rest alone',
    async (name) => {
      const transcript = await probe(faulty, name);
      const changed = (Object.keys(healthy) as Step[]).filter((step) => transcript[step] !== healthy[step]);
      const start = Object.keys(touches).find((prefix) => prefix.endsWith('-') && name.startsWith(prefix)) ?? '';
      const allowed = touches[name] ?? touches[start] ?? [];
      expect(changed).not.toEqual([]);
      expect(changed.filter((step) => !allowed.includes(step))).toEqual([]);
    },
  );
});

describe('the healthy server', () => {
  it('issues marked secrets, remembers them all, and sees none of them at evil or internal', async () => {
    const faulty = await faultyWith({ mark: 'canary' });
    const tokens = await signedIn(faulty);
    expect(tokens.access).toMatch(/^canary-access-/);
    expect(faulty.secrets()).toEqual(
      expect.arrayContaining([tokens.access, tokens.refresh, tokens.code, verifier, 'the-state']),
    );
    expect(faulty.leaked()).toEqual([]);
    await fetch(`${faulty.evil.origin}/x`, { method: 'POST', body: tokens.refresh });
    await fetch(`${faulty.internal.origin}/?code=${tokens.code}`);
    expect(faulty.leaked().sort()).toEqual([tokens.code, tokens.refresh].sort());
    expect([faulty.evilHits, faulty.internalHits]).toEqual([1, 1]);
  });

  it('takes a code once, with its verifier, client and redirect URI only', async () => {
    const faulty = await faultyWith({});
    const { clientId, code } = await signedIn(faulty);
    expect((await exchange(faulty, 'client-99', code)).text).toMatch(/^401/);
    const wrong = {
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      redirect_uri: redirectUri,
      code_verifier: 'wrong',
    };
    expect((await ask(`${faulty.issuer}/token`, form(wrong))).text).toMatch(/^400[^]*invalid_grant/);
    expect((await exchange(faulty, clientId, code)).text).toMatch(/^400[^]*invalid_grant/);
    expect((await ask(authorizationUrl(faulty, clientId, 'http://127.0.0.1:2/callback'))).text).toMatch(/^400/);
    expect((await ask(authorizationUrl(faulty, clientId).replace('S256', 'plain'))).text).toMatch(/^400/);
  });

  it('wants the secret of a client that has one', async () => {
    const faulty = await faultyWith({ clients: [{ client_id: 'by hand', client_secret: 's&cret' }] });
    const ask401 = await refreshWith(faulty, 'by hand', 'x');
    expect(ask401.text).toMatch(/^401[^]*invalid_client/);
    const authorization = `Basic ${Buffer.from('by%20hand:s%26cret').toString('base64')}`;
    const known = await ask(`${faulty.issuer}/token`, {
      ...form({ grant_type: 'refresh_token', refresh_token: 'x' }),
      headers: { authorization },
    });
    expect(known.text).toMatch(/^400[^]*invalid_grant/);
  });

  it('ends a sign-in at revocation, and access tokens by their life or early', async () => {
    const faulty = await faultyWith({ accessTokenSeconds: 0.2 });
    const { clientId, access, refresh } = await signedIn(faulty);
    await until(async () => (await post(faulty, access, toolCall)).text.startsWith('401'), 'the token expires', 2_000);
    const next = member((await refreshWith(faulty, clientId, refresh)).body, 'access_token');
    faulty.expireAccessTokens();
    expect((await post(faulty, next, toolCall)).text).toMatch(/^401[^]*invalid_token/);
    await ask(`${faulty.issuer}/revoke`, form({ token: refresh, client_id: clientId }));
    expect((await refreshWith(faulty, clientId, refresh)).text).toMatch(/^400[^]*invalid_grant/);
  });

  it.each([
    [
      { issuerPath: '/tenant' },
      '/.well-known/oauth-authorization-server/tenant',
      '/.well-known/oauth-authorization-server',
    ],
    [
      { issuerPath: '/tenant', metadataAt: 'appended' },
      '/tenant/.well-known/openid-configuration',
      '/.well-known/openid-configuration/tenant',
    ],
    [{ metadataAt: 'oidc' }, '/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'],
  ] as const)('serves its metadata only where %o says', async (options, there, notThere) => {
    const faulty = await faultyWith(options);
    const { origin } = new URL(faulty.issuer);
    expect(member((await ask(origin + there)).body, 'issuer')).toBe(faulty.issuer);
    expect((await ask(origin + notThere)).text).toMatch(/^404/);
  });

  it('keeps sessions and GET streams on request', async () => {
    const faulty = await faultyWith({ sessions: true, getStream: true, eventStream: true });
    const { access } = await signedIn(faulty);
    const session = (await post(faulty, access, rpc('initialize'))).headers.get('mcp-session-id') ?? '';
    expect((await post(faulty, access, toolCall, session)).text).toContain('text/event-stream');
    const headers = { authorization: `Bearer ${access}`, 'mcp-session-id': session };
    const stream = await fetch(faulty.url, { headers });
    await until(() => faulty.openStreams === 1, 'the stream is open');
    faulty.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    const reader = stream.body?.getReader();
    let heard = '';
    while (!heard.includes('list_changed')) heard += Buffer.from((await reader?.read())?.value ?? []).toString();
    await reader?.cancel();
    faulty.forgetSessions();
    expect((await post(faulty, access, toolCall, session)).text).toMatch(/^404/);
  });
});

describe('scenarios with a story', () => {
  it('healthy-strict ends the sign-in when a rotated token comes again', async () => {
    const faulty = await faultyWith({});
    const { clientId, refresh } = await signedIn(faulty);
    await faulty.setScenario('healthy-strict');
    const second = member((await refreshWith(faulty, clientId, refresh)).body, 'refresh_token');
    expect((await refreshWith(faulty, clientId, refresh)).text).toMatch(/^400/);
    expect((await refreshWith(faulty, clientId, second)).text).toMatch(/^400/);
    expect(faulty.counts).toMatchObject({ refreshes: 3, refreshesGranted: 1, refreshReuses: 1 });
  });

  it.each([
    ['refresh-drop-grace', true],
    ['refresh-drop-mid', true],
    ['refresh-drop-strict', false],
  ])('%s loses the first answer; the same token again is good: %s', async (name, good) => {
    const faulty = await faultyWith({});
    const { clientId, refresh } = await signedIn(faulty);
    await faulty.setScenario(name);
    expect((await refreshWith(faulty, clientId, refresh)).text).toContain('[cut');
    expect((await refreshWith(faulty, clientId, refresh)).text.startsWith('200')).toBe(good);
    expect(faulty.counts.refreshReuses).toBe(good ? 0 : 1);
  });

  it('refresh-same-at gives the worthless access token of before', async () => {
    const faulty = await faultyWith({});
    const { clientId, access, refresh } = await signedIn(faulty);
    faulty.expireAccessTokens();
    await faulty.setScenario('refresh-same-at');
    expect(member((await refreshWith(faulty, clientId, refresh)).body, 'access_token')).toBe(access);
    expect((await post(faulty, access, toolCall)).text).toMatch(/^401/);
  });

  it('refresh-hold answers when it is released', async () => {
    const faulty = await faultyWith({});
    const { clientId, refresh } = await signedIn(faulty);
    await faulty.setScenario('refresh-hold');
    const answer = fetch(
      `${faulty.issuer}/token`,
      form({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refresh }),
    );
    await until(() => faulty.holding === 1, 'the answer waits');
    faulty.release();
    expect((await answer).status).toBe(200);
    expect(faulty.holding).toBe(0);
  });

  it.each(['refresh-429', 'refresh-429-date'])('%s counts a request that comes too early', async (name) => {
    const faulty = await faultyWith({});
    const { clientId, refresh } = await signedIn(faulty);
    await faulty.setScenario(name, { retryAfterSeconds: 2 });
    const refused = await refreshWith(faulty, clientId, refresh);
    expect(refused.text).toMatch(/^429/);
    await refreshWith(faulty, clientId, refresh);
    expect(faulty.counts.early).toBe(1);
    const value = refused.headers.get('retry-after') ?? '';
    expect(name.endsWith('date') ? Date.parse(value) - Date.now() : Number(value) * 1000).toBeGreaterThan(500);
  });

  it('times: the fault ends after so many requests', async () => {
    const faulty = await faultyWith({});
    const { clientId, refresh } = await signedIn(faulty);
    await faulty.setScenario('refresh-5xx', { times: 2, status: 502 });
    const statuses: string[] = [];
    for (let count = 0; count < 3; count += 1)
      statuses.push((await refreshWith(faulty, clientId, refresh)).text.slice(0, 3));
    expect(statuses).toEqual(['502', '502', '200']);
  });

  it('mcp-reset-after has run the tool, mcp-reset-before has not', async () => {
    const faulty = await faultyWith({});
    const { access } = await signedIn(faulty);
    await faulty.setScenario('mcp-reset-before');
    expect((await post(faulty, access, toolCall)).text).toContain('[cut');
    expect(faulty.counts.toolRuns).toBe(0);
    await faulty.setScenario('mcp-reset-after');
    expect((await post(faulty, access, toolCall)).text).toContain('[cut');
    expect(faulty.counts.toolRuns).toBe(1);
    expect((await post(faulty, access, toolCall)).text).toMatch(/^200/);
  });

  it('mcp-session-404 forgets the sessions at the first call, and takes a new one', async () => {
    const faulty = await faultyWith({});
    const { access } = await signedIn(faulty);
    await faulty.setScenario('mcp-session-404');
    const open = async () => (await post(faulty, access, rpc('initialize'))).headers.get('mcp-session-id') ?? '';
    const first = await open();
    expect((await post(faulty, access, toolCall, first)).text).toMatch(/^404/);
    expect((await post(faulty, access, toolCall, first)).text).toMatch(/^404/);
    expect((await post(faulty, access, toolCall, await open())).text).toMatch(/^200/);
  });

  it('mcp-401-once with everyRequest also meets initialize, and then ends', async () => {
    const faulty = await faultyWith({});
    const { access } = await signedIn(faulty);
    await faulty.setScenario('mcp-401-once', { everyRequest: true });
    expect((await post(faulty, access, rpc('initialize'))).text).toMatch(/^401[^]*invalid_token/);
    expect((await post(faulty, access, rpc('initialize'))).text).toMatch(/^200/);
  });

  it('sse-server-request asks, and tells what it heard', async () => {
    const faulty = await faultyWith({});
    const { access } = await signedIn(faulty);
    await faulty.setScenario('sse-server-request');
    const headers = { authorization: `Bearer ${access}` };
    const answer = await fetch(faulty.url, { method: 'POST', headers, body: toolCall });
    const text = answer.text();
    expect(
      (await post(faulty, access, JSON.stringify({ jsonrpc: '2.0', id: 'ask-1', result: { said: 'hi' } }))).text,
    ).toMatch(/^202/);
    const events = (await text).split('\n').filter((line) => line.startsWith('data: '));
    expect(events[0]).toContain('"id":"ask-1","method":"sampling/createMessage"');
    expect(events[1]).toContain('hi');
  });

  it('sse-odd-framing is a valid stream for a reader that knows the format', async () => {
    const faulty = await faultyWith({});
    const { access } = await signedIn(faulty);
    await faulty.setScenario('sse-odd-framing');
    const { body } = await post(faulty, access, toolCall);
    const lines = Buffer.from(body, 'latin1')
      .toString()
      .replace(/^\uFEFF/, '')
      .split(/\r\n|\r|\n/);
    const data = lines
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice('data:'.length).replace(/^ /, ''));
    expect(JSON.parse(data.join('\n'))).toMatchObject({ id: 1, result: { content: [{ text: 'hello' }] } });
  });

  it('authz-replay delivers the redirect once by itself and once by the browser', async () => {
    const faulty = await faultyWith({});
    const arrived: string[] = [];
    const callback = await startListener((request, response) => {
      arrived.push(request.url ?? '');
      response.end('thanks');
    });
    closers.push(callback.close);
    const uri = `${callback.origin}/callback`;
    await faulty.setScenario('authz-replay');
    const registered = await ask(`${faulty.issuer}/register`, {
      method: 'POST',
      body: JSON.stringify({ redirect_uris: [uri] }),
    });
    const answer = await ask(authorizationUrl(faulty, member(registered.body, 'client_id'), uri));
    await fetch(answer.headers.get('location') ?? '');
    expect(arrived).toHaveLength(2);
    expect(arrived[0]).toBe(arrived[1]);
  });

  it('as-huge stops sending when the other side stops reading', async () => {
    const faulty = await faultyWith({});
    await faulty.setScenario('as-huge');
    await ask(`${faulty.issuer}/.well-known/oauth-authorization-server`);
    expect(faulty.counts.bytesSent).toBeGreaterThan(20_000);
    expect(faulty.counts.bytesSent).toBeLessThan(20_000_000);
  });

  it('evil would work for a client without caution', async () => {
    const faulty = await faultyWith({ scenario: 'prm-cross-origin' });
    const refused = await ask(faulty.url, { method: 'POST', body: rpc('initialize') });
    const metadataUrl = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1] ?? '';
    expect(metadataUrl).toBe(`${faulty.evil.origin}/prm`);
    expect((await ask(metadataUrl)).body).toContain(`"authorization_servers":["${faulty.evil.origin}"]`);
    expect((await ask(`${faulty.evil.origin}/claims-the-issuer`)).body).toContain(`"issuer":"${faulty.issuer}"`);
    expect(faulty.evilHits).toBe(2);
  });

  it('as-down and rs-down refuse connections, and end with the next scenario', async () => {
    const faulty = await faultyWith({ scenario: 'as-down' });
    await expect(fetch(faulty.issuer)).rejects.toThrow('fetch failed');
    await faulty.setScenario('rs-down');
    await expect(fetch(faulty.url)).rejects.toThrow('fetch failed');
    await faulty.setScenario('healthy');
    expect((await fetch(faulty.url)).status).toBe(401);
    await expect(faulty.setScenario('no-such-scenario')).rejects.toThrow('No scenario');
  });
});
