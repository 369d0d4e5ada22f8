import { describe, expect, it } from 'vitest';
import { createRuntimeNotes } from '../../electron/core/status/runtime-notes.ts';
import { createStepUps, type StepUpDeps } from '../../electron/core/step-up/step-up.ts';
import { statusText } from '../../electron/command-line/status-table.ts';
import { AppError } from '../../electron/core/base/errors.ts';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { errorCodeOf } from '../fixtures/bridge-place.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import { startFaulty, type Faulty } from '../fixtures/faulty-server.ts';
import { textOf, type Host } from '../fixtures/host.ts';
import { startMcpServer, type McpServerOptions } from '../fixtures/mcp-server.ts';
import { startProduct, type Product, type ProductOptions } from '../fixtures/product.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import type { Challenge } from '../../electron/core/oauth/model.ts';
import type { Server } from '../../electron/core/servers/server.ts';

const closing = closeAfterEach();

/** oidc-provider and the official SDK's server, whose tool `admin` wants mcp:admin; signed in without it. */
async function world({ mcp: mcpOptions = {}, ...options }: ProductOptions & { readonly mcp?: McpServerOptions } = {}) {
  const as = await startAuthorizationServer({ resourceScopes: ['mcp:tools', 'mcp:admin', 'mcp:audit'] });
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as, ...mcpOptions });
  closing.push(() => mcp.close());
  const product = await startProduct(options);
  closing.push(() => product.close());
  await product.call('addServer', { url: mcp.url, name: 'work' });
  await product.call('signIn', { server: 'work' });
  return { as, mcp, product };
}

async function faultyWorld(
  scenario: string,
  settings: Parameters<Faulty['setScenario']>[1] = {},
  options: ProductOptions = {},
) {
  const remote = await startFaulty({ scenario, ...settings });
  closing.push(() => remote.close());
  const product = await startProduct(options);
  closing.push(() => product.close());
  await product.call('addServer', { url: remote.url, name: 'work' });
  await product.call('signIn', { server: 'work' });
  const host = await hostOf(product, 'Cursor');
  return { remote, product, host };
}

async function hostOf(product: Product, name: string): Promise<Host> {
  const host = product.host('work');
  await host.initialize({ clientInfo: { name, version: '1' } });
  return host;
}

const stateOf = async (product: Product) => (await product.call('status')).servers[0]?.state;
const needsAccess = (product: Product) =>
  until(async () => {
    const state = await stateOf(product);
    return state?.kind === 'needs_access' && state;
  }, 'needs_access');

describe('step-up (MCP 2025-11-25 and 2026-07-28, Step-Up Authorization Flow)', () => {
  for (const era of ['2025', '2026'] as const) {
    it(`holds the call, opens no browser before consent, and then goes on with the union of scopes (${era})`, async () => {
      const { as, mcp, product } = await world({ mcp: { era } });
      const host = era === '2025' ? await hostOf(product, 'Cursor') : product.host('work');
      const meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'Cursor', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      const call = host.request('tools/call', {
        name: 'admin',
        arguments: {},
        ...(era === '2026' ? { _meta: meta } : {}),
      });
      const state = await needsAccess(product);
      expect(state).toMatchObject({
        scopes: ['mcp:admin'],
        granted: expect.arrayContaining(['mcp:tools']) as unknown,
        askedBy: [{ host: 'Cursor', operation: 'admin' }],
      });
      expect(product.browser.openings).toBe(1);
      expect(mcp.counts.toolRuns).toBe(0);

      await product.call('signIn', { server: 'work' });
      expect(textOf(await call)).toBe('done as admin');
      expect(mcp.counts.toolRuns).toBe(1);
      expect(product.browser.openings).toBe(2);
      expect(as.seen.authorize.at(-1)?.get('scope')?.split(' ')).toEqual(
        expect.arrayContaining(['mcp:tools', 'mcp:admin']),
      );
      expect(await stateOf(product)).toMatchObject({ kind: 'signed_in' });
    });
  }

  it('other calls go on while one is held', async () => {
    const { product } = await world();
    const host = await hostOf(product, 'Cursor');
    const call = host.call('admin');
    await needsAccess(product);
    expect(textOf(await host.call('echo', { text: 'meanwhile' }))).toBe('meanwhile');
    await product.call('dismissAccess', { server: 'work' });
    expect(errorCodeOf(await call)).toBe('E_SCOPE_NEEDED');
  });

  it('two hosts that want different scopes at once get one sign-in with the union', async () => {
    const { as, product } = await world({ mcp: { toolScopes: { admin: 'mcp:admin', add: 'mcp:audit' } } });
    const [one, two] = [await hostOf(product, 'Cursor'), await hostOf(product, 'Claude Desktop')];
    const calls = [one.call('admin'), two.call('add', { a: 1, b: 2 })];
    await until(async () => {
      const state = await stateOf(product);
      return state?.kind === 'needs_access' && state.scopes.length === 2;
    }, 'both asks');
    await product.call('signIn', { server: 'work' });
    expect((await Promise.all(calls)).map(textOf)).toEqual(['done as admin', '3']);
    expect(product.browser.openings).toBe(2);
    expect(as.seen.authorize.at(-1)?.get('scope')?.split(' ')).toEqual(
      expect.arrayContaining(['mcp:tools', 'mcp:admin', 'mcp:audit']),
    );
  });

  it('"not now" ends the call with E_SCOPE_NEEDED, and the next one at once without asking again', async () => {
    const { product } = await world();
    const host = await hostOf(product, 'Cursor');
    const call = host.call('admin');
    await needsAccess(product);
    expect(await product.call('dismissAccess', { server: 'work' })).toMatchObject({ state: { kind: 'signed_in' } });
    expect(errorCodeOf(await call)).toBe('E_SCOPE_NEEDED');
    expect(errorCodeOf(await host.call('admin'))).toBe('E_SCOPE_NEEDED');
    expect(await stateOf(product)).toMatchObject({ kind: 'signed_in' });
    expect(product.browser.openings).toBe(1);
  });

  it('cancelling the sign-in ends the held call and keeps the old sign-in', async () => {
    const { product } = await world();
    const host = await hostOf(product, 'Cursor');
    const call = host.call('admin');
    await needsAccess(product);
    product.browser.options.neverFinish = true;
    const signIn = product.call('signIn', { server: 'work' }).catch((error: unknown) => (error as Error).message);
    await until(() => product.browser.openings === 2);
    await product.call('cancelSignIn', { server: 'work' });
    expect(await signIn).toBe('E_CANCELLED');
    expect(errorCodeOf(await call)).toBe('E_SCOPE_NEEDED');
    expect(textOf(await host.call('echo', { text: 'still here' }))).toBe('still here');
  });

  it('a host that cancels its call gets no answer, and the tool never runs', async () => {
    const { mcp, product } = await world();
    const host = await hostOf(product, 'Cursor');
    host.sendLine(
      JSON.stringify({ jsonrpc: '2.0', id: 'held', method: 'tools/call', params: { name: 'admin', arguments: {} } }),
    );
    await needsAccess(product);
    host.notify('notifications/cancelled', { requestId: 'held' });
    await host.call('echo', { text: 'in between' });
    await product.call('signIn', { server: 'work' });
    expect(textOf(await host.call('echo', { text: 'afterwards' }))).toBe('afterwards');
    expect(mcp.counts.toolRuns).toBe(2);
    expect(host.lines.some((line) => line.includes('"held"'))).toBe(false);
  });

  it('tells a host that asked for progress that the call is alive', async () => {
    const { product } = await world();
    const host = await hostOf(product, 'Cursor');
    const call = host.request('tools/call', { name: 'admin', arguments: {}, _meta: { progressToken: 'p-1' } });
    const told = await host.notification('notifications/progress');
    expect(told.params).toMatchObject({
      progressToken: 'p-1',
      message: 'Keybridge is waiting for you to allow more access.',
    });
    await product.call('signIn', { server: 'work' });
    expect(textOf(await call)).toBe('done as admin');
  });

  it('with automatic sign-in the call starts it by itself', async () => {
    const { product } = await world({ autoSignIn: true });
    const host = await hostOf(product, 'Cursor');
    expect(textOf(await host.call('admin'))).toBe('done as admin');
    expect(product.browser.openings).toBe(2);
  });

  it('learns what a tool needed, and asks for it at once at the next sign-in', async () => {
    const { as, product } = await world({ autoSignIn: true });
    const host = await hostOf(product, 'Cursor');
    await host.call('admin');
    expect(await product.call('serverDetail', { server: 'work' })).toMatchObject({
      learnedScopes: { admin: expect.arrayContaining(['mcp:admin']) as unknown },
    });
    await product.call('signOut', { server: 'work' });
    await product.call('signIn', { server: 'work' });
    expect(as.seen.authorize.at(-1)?.get('scope')?.split(' ')).toContain('mcp:admin');
    expect(textOf(await host.call('admin'))).toBe('done as admin');
    expect(product.browser.openings).toBe(3);
  });

  it('forgets what it learned when the user chooses the scopes anew', async () => {
    const { as, product } = await world({ autoSignIn: true });
    const host = await hostOf(product, 'Cursor');
    await host.call('admin');
    await product.call('configureServer', { server: 'work', settings: { scopes: ['mcp:tools'] } });
    await product.call('signIn', { server: 'work' });
    expect(as.seen.authorize.at(-1)?.get('scope')?.split(' ')).not.toContain('mcp:admin');
  });
});

describe('servers that ask in their own way, or without end', () => {
  it('mcp-403-scope: a server that is never content gets two sign-ins for a tool, then E_SCOPE_NEEDED at once', async () => {
    const { product, host } = await faultyWorld('mcp-403-scope', {}, { autoSignIn: true });
    expect(errorCodeOf(await host.call('echo', { text: 'x' }))).toBe('E_SCOPE_NEEDED');
    expect(product.browser.openings).toBe(3);
    expect(errorCodeOf(await host.call('echo', { text: 'x' }))).toBe('E_SCOPE_NEEDED');
    expect(errorCodeOf(await host.call('add', { a: 1, b: 1 }))).toBe('E_SCOPE_NEEDED');
    expect(product.browser.openings).toBe(3);
  });

  it('mcp-403-scope: ten calls at once count as one', async () => {
    const { product, host } = await faultyWorld('mcp-403-scope', { lenient: true });
    const calls = Array.from({ length: 10 }, (_, n) => host.call('echo', { text: `call ${n}` }));
    await needsAccess(product);
    await product.call('signIn', { server: 'work' });
    expect((await Promise.all(calls)).every((answer) => answer.error === undefined)).toBe(true);
    expect(product.browser.openings).toBe(2);
  });

  it('mcp-403-missing-scopes (as mcp-auth): offers what the resource lists and was not granted', async () => {
    const { remote, product, host } = await faultyWorld('mcp-403-missing-scopes');
    const call = host.call('echo', { text: 'with more' });
    expect(await needsAccess(product)).toMatchObject({ scopes: ['mcp:more'] });
    await product.call('signIn', { server: 'work' });
    expect((await call).error).toBeUndefined();
    expect(remote.seen.authorize.at(-1)?.get('scope')).toContain('mcp:more');
  });

  it('mcp-403-scope-in-body: a bare 403 whose body says scope', async () => {
    const { product, host } = await faultyWorld('mcp-403-scope-in-body');
    const call = host.call('echo', { text: 'with more' });
    expect(await needsAccess(product)).toMatchObject({ scopes: ['mcp:more'] });
    await product.call('signIn', { server: 'work' });
    expect((await call).error).toBeUndefined();
  });

  it('mcp-403: a refusal that is about something else is passed on at once', async () => {
    const { product, host } = await faultyWorld('mcp-403');
    expect(errorCodeOf(await host.call('echo', { text: 'x' }))).toBe('E_SERVER_REFUSED');
    expect(await stateOf(product)).toMatchObject({ kind: 'signed_in' });
  });
});

describe('holding', () => {
  function rig(more: Partial<StepUpDeps> = {}) {
    const clock = createFakeClock();
    const server = {
      id: 'server01',
      name: 'work',
      url: 'https://mcp.example.com/mcp',
      learnedScopes: {},
    } as unknown as Server;
    const notes = createRuntimeNotes();
    const updates: unknown[] = [];
    const stepUps = createStepUps({
      servers: { find: () => server, updateAccount: async (_id, change) => (updates.push(change), server) },
      notes,
      clock,
      log: () => {},
      offeredScopes: async () => [],
      grantedScopes: () => [],
      autoSignIn: undefined,
      onChange: () => {},
      ...more,
    });
    const ask = (operation: string, scope = 'a', more: { waitMs?: number; signal?: AbortSignal } = {}) =>
      stepUps.ask(server, 'Cursor', { scope } satisfies Challenge, { operation, waitMs: 50_000, ...more });
    return { clock, notes, stepUps, ask, updates };
  }

  it('ends with the time that the host is worth waiting for; the need stays known', async () => {
    const { clock, notes, ask } = rig();
    const held = ask('admin');
    await clock.advance(49_999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(await held).toBe('refused');
    expect(notes.get('server01').missingScopes).toEqual(['a']);
  });

  it('leaves no timer behind when the host cancels', async () => {
    const { clock, ask } = rig();
    const abort = new AbortController();
    const held = ask('admin', 'a', { signal: abort.signal });
    await clock.advance(0);
    abort.abort();
    expect(await held).toBe('refused');
    expect(clock.pending).toBe(0);
  });

  it('a failed sign-in counts as a try, a passing while later it may be asked again', async () => {
    const { clock, stepUps, ask } = rig();
    for (let round = 0; round < 2; round += 1) {
      const held = ask('admin');
      await clock.advance(0);
      await stepUps.signInEnded('server01', new AppError('E_SIGN_IN_TIMEOUT', 'Too late.'));
      expect(await held).toBe('refused');
    }
    const third = ask('admin');
    await clock.advance(0);
    expect(clock.pending).toBe(0);
    expect(await third).toBe('refused');
    await clock.advance(10 * 60_000);
    const later = ask('admin');
    await clock.advance(0);
    expect(clock.pending).toBe(1);
    stepUps.forget('server01');
    expect(await later).toBe('refused');
  });

  it('a scope that the authorization server refuses is not asked for for ever', async () => {
    const learnedScopes = { admin: ['gone'] };
    const { stepUps, updates } = rig({
      servers: {
        find: () => ({ learnedScopes }) as unknown as Server,
        updateAccount: async (_id, change) => (updates.push(change), {} as Server),
      },
    });
    await stepUps.signInEnded('server01', new AppError('E_AUTHORIZATION_ERROR', 'invalid_scope'));
    expect(updates).toEqual([{ learnedScopes: {} }]);
  });

  it('a challenge that names nothing, of a server that lists nothing new, holds nothing', async () => {
    const { clock, ask, notes } = rig();
    expect(await ask('admin', '')).toBe('refused');
    expect(clock.pending).toBe(0);
    expect(notes.get('server01').askedBy).toEqual([]);
  });
});

describe('the command line', () => {
  it('says who asked, and for which tool', async () => {
    const { product } = await world();
    const host = await hostOf(product, 'Cursor');
    const call = host.call('admin');
    await needsAccess(product);
    const words = statusText(await product.call('status'), Date.now());
    expect(words).toContain('work: Cursor wants to use admin.');
    expect(words).toContain('The server asks for more access: mcp:admin.');
    await product.call('dismissAccess', { server: 'work' });
    await call;
  });
});
