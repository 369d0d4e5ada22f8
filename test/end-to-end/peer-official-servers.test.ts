import { expect, it } from 'vitest';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { textOf, type Host, type JsonRpcMessage } from '../fixtures/host.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct } from '../fixtures/product.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

// The main job with the official SDK's servers of both generations, each with a host of its generation.

const closing = closeAfterEach();

function later<Value extends { close(): Promise<unknown> }>(value: Value): Value {
  closing.push(() => value.close());
  return value;
}

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'peer-host', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

interface Generation {
  readonly greet: (host: Host) => Promise<JsonRpcMessage>;
  readonly call: (host: Host, text: string) => Promise<JsonRpcMessage>;
}

const generations: Record<'2025' | '2026', Generation> = {
  '2025': { greet: (host) => host.initialize(), call: (host, text) => host.call('echo', { text }) },
  '2026': {
    greet: (host) => host.request('server/discover', { _meta: meta }),
    call: (host, text) => host.request('tools/call', { name: 'echo', arguments: { text }, _meta: meta }),
  },
};

it.each([
  ['2025', 'opaque', false],
  ['2025', 'jwt', true],
  ['2026', 'opaque', true],
  ['2026', 'jwt', false],
] as const)(
  'the main job works with generation %s, %s tokens and JSON responses %s, with one refresh for ten rejected calls',
  async (era, accessTokens, json) => {
    const as = later(await startAuthorizationServer({ accessTokens }));
    const mcp = later(await startMcpServer({ authorizationServer: as, era, json }));
    const product = later(await startProduct());
    await product.call('addServer', { url: mcp.url, name: 'work' });
    await product.call('signIn', { server: 'work' });
    const { greet, call } = generations[era];
    const host = product.host('work');
    expect((await greet(host)).result).toBeDefined();
    expect(textOf(await call(host, 'first'))).toContain('first');

    as.revokeAccessTokens();
    const texts = Array.from({ length: 10 }, (_, n) => `again-${n}`);
    const answers = await Promise.all(texts.map((text) => call(host, text)));
    expect(answers.map(textOf)).toEqual(texts.map((text) => expect.stringContaining(text) as unknown));
    expect(as.counts).toMatchObject({ codeExchangesGranted: 1, refreshes: 1, refreshesGranted: 1 });
    expect(product.browser.openings).toBe(1);

    expect(await product.call('signOut', { server: 'work' })).toMatchObject({ revoked: 'confirmed', deleted: true });
    expect((await call(host, 'late')).error).toMatchObject({ data: { code: 'E_SIGN_IN_NEEDED' } });
  },
);
