import { describe, expect, it } from 'vitest';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startFaulty, type Faulty } from '../fixtures/faulty-server.ts';
import type { FaultyOptions } from '../fixtures/faulty/world.ts';
import { startListener } from '../fixtures/listener.ts';
import { until } from '../fixtures/wait.ts';
import {
  ask,
  member,
  form,
  authorizationUrl,
  refreshWith,
  rpc,
  toolCall,
  signedIn,
  post,
} from '../fixtures/faulty-by-hand.ts';

const closing = closeAfterEach();

async function faultyWith(options: FaultyOptions): Promise<Faulty> {
  const faulty = await startFaulty(options);
  closing.push(faulty.close);
  return faulty;
}

describe('the scenario', () => {
  it('healthy-strict ends the sign-in when a rotated token is reused', async () => {
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
  ])('%s loses the first response, and then accepts the same token: %s', async (name, good) => {
    const faulty = await faultyWith({});
    const { clientId, refresh } = await signedIn(faulty);
    await faulty.setScenario(name);
    expect((await refreshWith(faulty, clientId, refresh)).text).toContain('[cut');
    expect((await refreshWith(faulty, clientId, refresh)).text.startsWith('200')).toBe(good);
    expect(faulty.counts.refreshReuses).toBe(good ? 0 : 1);
  });

  it('refresh-same-at returns the previous, expired access token', async () => {
    const faulty = await faultyWith({});
    const { clientId, access, refresh } = await signedIn(faulty);
    faulty.expireAccessTokens();
    await faulty.setScenario('refresh-same-at');
    expect(member((await refreshWith(faulty, clientId, refresh)).body, 'access_token')).toBe(access);
    expect((await post(faulty, access, toolCall)).text).toMatch(/^401/);
  });

  it('refresh-hold responds when it is released', async () => {
    const faulty = await faultyWith({});
    const { clientId, refresh } = await signedIn(faulty);
    await faulty.setScenario('refresh-hold');
    const answer = fetch(
      `${faulty.issuer}/token`,
      form({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refresh }),
    );
    await until(() => faulty.holding === 1, 'the response is held');
    faulty.release();
    expect((await answer).status).toBe(200);
    expect(faulty.holding).toBe(0);
  });

  it.each(['refresh-429', 'refresh-429-date'])('%s counts requests that come too early', async (name) => {
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

  it('refresh-5xx ends after the number of requests in `times`', async () => {
    const faulty = await faultyWith({});
    const { clientId, refresh } = await signedIn(faulty);
    await faulty.setScenario('refresh-5xx', { times: 2, status: 502 });
    const statuses: string[] = [];
    for (let count = 0; count < 3; count += 1)
      statuses.push((await refreshWith(faulty, clientId, refresh)).text.slice(0, 3));
    expect(statuses).toEqual(['502', '502', '200']);
  });

  it('mcp-reset-after runs the tool, and mcp-reset-before does not', async () => {
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

  it('mcp-session-404 forgets its sessions at the first call, and accepts a new session', async () => {
    const faulty = await faultyWith({});
    const { access } = await signedIn(faulty);
    await faulty.setScenario('mcp-session-404');
    const open = async () => (await post(faulty, access, rpc('initialize'))).headers.get('mcp-session-id') ?? '';
    const first = await open();
    expect((await post(faulty, access, toolCall, first)).text).toMatch(/^404/);
    expect((await post(faulty, access, toolCall, first)).text).toMatch(/^404/);
    expect((await post(faulty, access, toolCall, await open())).text).toMatch(/^200/);
  });

  it('mcp-401-once with everyRequest refuses initialize too, once', async () => {
    const faulty = await faultyWith({});
    const { access } = await signedIn(faulty);
    await faulty.setScenario('mcp-401-once', { everyRequest: true });
    expect((await post(faulty, access, rpc('initialize'))).text).toMatch(/^401[^]*invalid_token/);
    expect((await post(faulty, access, rpc('initialize'))).text).toMatch(/^200/);
  });

  it('sse-server-request sends a request to the host, and repeats the response to it', async () => {
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

  it('sse-odd-framing sends a stream that is valid SSE', async () => {
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

  it('authz-replay delivers the redirect itself, and again through the browser', async () => {
    const faulty = await faultyWith({});
    const arrived: string[] = [];
    const callback = await startListener((request, response) => {
      arrived.push(request.url ?? '');
      response.end('thanks');
    });
    closing.push(callback.close);
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

  it('as-huge stops sending when the client stops reading', async () => {
    const faulty = await faultyWith({});
    await faulty.setScenario('as-huge');
    await ask(`${faulty.issuer}/.well-known/oauth-authorization-server`);
    expect(faulty.counts.bytesSent).toBeGreaterThan(20_000);
    expect(faulty.counts.bytesSent).toBeLessThan(20_000_000);
  });

  it('prm-cross-origin leads a careless client to the attacker', async () => {
    const faulty = await faultyWith({ scenario: 'prm-cross-origin' });
    const refused = await ask(faulty.url, { method: 'POST', body: rpc('initialize') });
    const metadataUrl = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1] ?? '';
    expect(metadataUrl).toBe(`${faulty.evil.origin}/prm`);
    expect((await ask(metadataUrl)).body).toContain(`"authorization_servers":["${faulty.evil.origin}"]`);
    expect((await ask(`${faulty.evil.origin}/claims-the-issuer`)).body).toContain(`"issuer":"${faulty.issuer}"`);
    expect(faulty.evilHits).toBe(2);
  });

  it('as-down and rs-down refuse connections until the next scenario', async () => {
    const faulty = await faultyWith({ scenario: 'as-down' });
    await expect(fetch(faulty.issuer)).rejects.toThrow('fetch failed');
    await faulty.setScenario('rs-down');
    await expect(fetch(faulty.url)).rejects.toThrow('fetch failed');
    await faulty.setScenario('healthy');
    expect((await fetch(faulty.url)).status).toBe(401);
    await expect(faulty.setScenario('no-such-scenario')).rejects.toThrow('No scenario');
  });
});
