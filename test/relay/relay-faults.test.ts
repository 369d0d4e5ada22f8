import { beforeEach, describe, expect, it } from 'vitest';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Secret } from '../../electron/core/base/secret.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { startFaulty, type Faulty } from '../fixtures/faulty-server.ts';
import { textOf, type JsonRpcMessage } from '../fixtures/host.ts';
import { startListener, type Listener } from '../fixtures/listener.ts';
import { startRelayRig, tokenAnswer, type RelayRig, type RigServer } from '../fixtures/relay-rig.ts';
import type { SocketHost } from '../fixtures/socket-host.ts';
import { clientByHand } from '../fixtures/sign-in-by-hand.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

const closing = closeAfterEach();

const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;

describe('a fault of the MCP server', () => {
  let faulty: Faulty;
  let relay: RelayRig;
  let server: RigServer;
  let host: SocketHost;
  let refreshes: number;

  beforeEach(async () => {
    faulty = await startFaulty({ sessions: true });
    closing.push(() => faulty.close());
    const client = await clientByHand(faulty.issuer, faulty.url);
    closing.push(() => client.close());
    let tokens = await client.signIn(httpBrowser());
    refreshes = 0;
    relay = await startRelayRig();
    closing.push(() => relay.close());
    server = relay.addServer('work', faulty.url, async (rejected: Secret | undefined) => {
      if (rejected?.reveal() === tokens.access_token) {
        refreshes += 1;
        tokens = await client.refresh(tokens.refresh_token ?? '');
      }
      return tokenAnswer(tokens.access_token);
    });
    host = await relay.host('work');
    await host.initialize();
    await host.call('echo', { text: 'ready' });
  });

  /** The response to one call in this scenario. Fails if the token reached another server. */
  async function callUnder(
    scenario: string,
    settings: Parameters<Faulty['setScenario']>[1] = {},
  ): Promise<JsonRpcMessage> {
    await faulty.setScenario(scenario, settings);
    const before = host.lines.length;
    const answer = await host.call('echo', { text: 'hi' });
    expect(
      host.lines
        .slice(before)
        .filter((line) => line.includes(`"id":${String(answer.id)}`) && !line.includes('"method"')),
    ).toHaveLength(1);
    expect(faulty.leaked()).toEqual([]);
    return answer;
  }

  it('HT01 fails the call after one refresh and one retry when every response is a 401', async () => {
    expect(codeOf(await callUnder('mcp-401-forever'))).toBe('E_SERVER_REFUSED');
    expect({ refreshes, calls: faulty.counts.toolCalls }).toEqual({ refreshes: 1, calls: 3 });
  });

  it('HT02 runs the call once after a single 401', async () => {
    expect(textOf(await callUnder('mcp-401-once'))).toBe('hi');
    expect({ refreshes, runs: faulty.counts.toolRuns }).toEqual({ refreshes: 1, runs: 2 });
  });

  it('HT03 asks for the scopes of an insufficient_scope challenge twice at most', async () => {
    server.onChallenge = async () => 'retry';
    const answer = await callUnder('mcp-403-scope');
    expect(codeOf(answer)).toBe('E_SCOPE_NEEDED');
    expect(answer.error?.message).toContain('mcp:more');
    const asked = { status: 403, challenge: { scope: 'mcp:tools mcp:more' } };
    expect(server.challenges).toMatchObject([asked, asked]);
  });

  it('HT03 reports a bare 403 as an error, and asks for no scopes', async () => {
    expect(codeOf(await callUnder('mcp-403'))).toBe('E_SERVER_REFUSED');
    expect(server.challenges).toEqual([]);
  });

  it.each([
    ['mcp-429', 'E_RATE_LIMITED'],
    ['mcp-503', 'E_OUTCOME_UNKNOWN'],
  ])(
    'HT04 does not repeat the call after %s, and the next one waits as long as the server asks',
    async (scenario, code) => {
      expect((await callUnder(scenario)).error?.data).toMatchObject({ code, retryAfterMs: 1_000 });
      expect(textOf(await host.call('echo', { text: 'next' }))).toBe('next');
      expect(faulty.counts).toMatchObject({ early: 0, toolRuns: 2 });
    },
  );

  it.each([
    ['mcp-429', 'E_RATE_LIMITED'],
    ['mcp-503', 'E_OUTCOME_UNKNOWN'],
  ])('HT04 fails calls with the remaining time after %s with a wait of a minute', async (scenario, code) => {
    const answer = await callUnder(scenario, { retryAfterSeconds: 60 });
    expect(answer.error?.data).toMatchObject({ code, retryAfterMs: 60_000 });
    const { toolCalls } = faulty.counts;
    expect(codeOf(await host.call('echo'))).toBe('E_RATE_LIMITED');
    expect(faulty.counts).toMatchObject({ early: 0, toolCalls });
  });

  it('HT05 does not follow a redirect to another origin', async () => {
    expect(codeOf(await callUnder('mcp-redirect-cross'))).toBe('E_REDIRECTED');
    expect(faulty.evilHits).toBe(0);
  });

  it('HT06 follows one redirect on the same origin, with the token and the body', async () => {
    expect(textOf(await callUnder('mcp-redirect-same'))).toBe('hi');
    expect(faulty.counts.toolRuns).toBe(2);
  });

  it('HT07 does not repeat a call after a reset, and reports an unknown outcome', async () => {
    expect(codeOf(await callUnder('mcp-reset-after'))).toBe('E_OUTCOME_UNKNOWN');
    expect(faulty.counts.toolRuns).toBe(2);
  });

  it('HT08 repeats only a list after a reset before the request was read', async () => {
    await faulty.setScenario('mcp-reset-before');
    expect((await host.request('tools/list')).result).toBeDefined();
    expect(codeOf(await callUnder('mcp-reset-before'))).toBe('E_OUTCOME_UNKNOWN');
    expect(faulty.counts.toolRuns).toBe(1);
  });

  it.each([
    ['HT09', 'mcp-truncated', 'E_OUTCOME_UNKNOWN'],
    ['HT10', 'mcp-html', 'E_NOT_JSON'],
    ['HT12', 'mcp-huge', 'E_TOO_LARGE'],
    ['HT17', 'sse-expire', 'E_OUTCOME_UNKNOWN'],
    ['HT20', 'sse-endless-line', 'E_TOO_LARGE'],
    ['HT21', 'sse-reset', 'E_OUTCOME_UNKNOWN'],
    ['HT22', 'sse-close-early', 'E_OUTCOME_UNKNOWN'],
  ])('%s fails the call and not the next one: %s', async (_, scenario, code) => {
    expect(codeOf(await callUnder(scenario))).toBe(code);
    await faulty.setScenario('healthy');
    expect(textOf(await host.call('echo', { text: 'next' }))).toBe('next');
    expect(faulty.counts.initialize).toBe(1);
  });

  it.each([
    ['HT11', 'mcp-text-plain'],
    ['HT14', 'mcp-id-mismatch'],
    ['HT15', 'mcp-session-404'],
    ['HT18', 'sse-non-json'],
    ['HT19', 'sse-odd-framing'],
  ])('%s delivers the response exactly once: %s', async (_, scenario) => {
    expect(textOf(await callUnder(scenario))).toBe('hi');
    expect(faulty.counts.toolRuns).toBe(2);
    expect(host.lines.some((line) => line.includes('987654'))).toBe(false);
  });

  it('HT12 stops reading a body of 50 MB at the limit', async () => {
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    await callUnder('mcp-huge');
    expect(faulty.counts.bytesSent).toBeLessThan(40 * 1024 * 1024);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  it.each(['mcp-hang', 'sse-endless-comments'])('HT13 closes the stream of a cancelled call: %s', async (scenario) => {
    await faulty.setScenario(scenario);
    const calls = faulty.counts.toolCalls;
    host.sendLine('{"jsonrpc":"2.0","id":500,"method":"tools/call","params":{"name":"echo"}}');
    await until(() => faulty.counts.toolCalls === calls + 1);
    host.notify('notifications/cancelled', { requestId: 500 });
    await faulty.setScenario('healthy');
    // The id can be used again when the call has ended.
    await until(async () => {
      host.sendLine('{"jsonrpc":"2.0","id":500,"method":"ping"}');
      return host.line((message) => message.id === 500 && message.result !== undefined, 200).catch(() => undefined);
    });
  });

  it('HT17 sends the call after an expiry with a new token', async () => {
    await callUnder('sse-expire');
    expect(textOf(await host.call('echo', { text: 'x' }))).toBe('x');
    expect(refreshes).toBe(1);
  });

  it('HT25 passes a request of the server to the host, and its response back', async () => {
    await faulty.setScenario('sse-server-request');
    const answer = host.call('echo', { text: 'hi' });
    const asked = await host.line((message) => message.method === 'sampling/createMessage');
    host.sendLine(JSON.stringify({ jsonrpc: '2.0', id: asked.id, result: { heard: true } }));
    expect(textOf(await answer)).toContain('heard');
  });

  it('HT30 reports a captive portal, which gets no secret', async () => {
    expect(codeOf(await callUnder('captive-portal'))).toBe('E_NOT_JSON');
    expect(faulty.evilHits).toBe(0);
    await faulty.setScenario('healthy');
    expect(textOf(await host.call('echo', { text: 'x' }))).toBe('x');
  });

  it('is reported with the server, the cause and what to do', async () => {
    for (const scenario of ['mcp-401-forever', 'mcp-html', 'mcp-reset-after', 'mcp-403']) {
      const { error } = await callUnder(scenario);
      expect(error?.message).toMatch(/^work: .+\. .+\. \[E_[A-Z_]+\]$/);
      expect(error?.message.length).toBeLessThan(400);
    }
    expect(relay.log.join('')).not.toMatch(/Bearer|kb-/);
  });
});

describe('a server that is slow, silent or too fast', () => {
  async function onHandler(
    answer: (body: string, response: ServerResponse, request: IncomingMessage) => void,
  ): Promise<{ host: SocketHost; relay: RelayRig; listener: Listener }> {
    const listener = await startListener((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => answer(body, response, request));
    });
    closing.push(() => listener.close());
    const relay = await startRelayRig();
    closing.push(() => relay.close());
    relay.addServer('work', `${listener.origin}/mcp`);
    return { host: await relay.host('work'), relay, listener };
  }

  it('is slowed down when the host does not read', async () => {
    let sent = 0;
    const text = 'x'.repeat(60_000);
    const event = `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${text}"}}\n\n`;
    const { host } = await onHandler((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const more = () => {
        while (!response.destroyed && sent < 200_000_000) {
          sent += event.length;
          if (!response.write(event)) return void response.once('drain', more);
        }
      };
      more();
    });
    host.pause();
    host.sendLine('{"jsonrpc":"2.0","id":1,"method":"tools/call"}');
    await until(() => sent > 0);
    let last = -1;
    let unchanged = 0;
    await until(() => {
      unchanged = sent === last ? unchanged + 1 : 0;
      last = sent;
      return unchanged >= 30;
    }, 'the server has stopped sending');
    expect(sent).toBeLessThan(30_000_000);
    host.resume();
    await until(() => sent > 60_000_000, 'the server has sent more', 20_000);
  });

  it('HT31 does not delay other servers', async () => {
    const { relay } = await onHandler(() => {});
    const healthy = await startListener((request, response) => {
      request
        .resume()
        .on('end', () =>
          response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}'),
        );
    });
    closing.push(() => healthy.close());
    relay.addServer('healthy', healthy.origin);
    const stuck = await relay.host('work');
    for (let id = 0; id < 100; id += 1) stuck.sendLine(`{"jsonrpc":"2.0","id":${id},"method":"tools/call"}`);
    const other = await relay.host('healthy');
    expect((await other.request('ping', undefined, 1_000)).result).toEqual({});
  });

  it('fails a call once when its JSON is cut off anywhere', async () => {
    const good = '{"jsonrpc":"2.0","id":1,"result":{"a":[1,{"b":"c"}],"d":null}}';
    let text = '';
    const { host } = await onHandler((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    for (let cut = 0; cut < good.length; cut += 1) {
      text = good.slice(0, cut);
      const id = 1_000 + cut;
      host.sendLine(`{"jsonrpc":"2.0","id":${id},"method":"tools/call"}`);
      expect(codeOf(await host.line((message) => message.id === id))).toBe('E_SERVER_ANSWER');
    }
  });
});
