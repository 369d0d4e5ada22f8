import { describe, expect, it } from 'vitest';
import { statusText } from '../../electron/command-line/status-table.ts';
import { errorCodeOf } from '../fixtures/bridge-place.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { textOf } from '../fixtures/host.ts';
import { hostOf, needsAccess, startStepUpWorld, stateOf } from '../fixtures/step-up-worlds.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

describe('step-up (MCP 2025-11-25 and 2026-07-28, Step-Up Authorization Flow)', () => {
  for (const era of ['2025', '2026'] as const) {
    it(`holds the call without opening a browser, and repeats it after the sign-in (${era})`, async () => {
      const { as, mcp, product } = await startStepUpWorld(closing, { mcp: { era } });
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

  it('lets other calls through while one is held', async () => {
    const { product } = await startStepUpWorld(closing);
    const host = await hostOf(product, 'Cursor');
    const call = host.call('admin');
    await needsAccess(product);
    expect(textOf(await host.call('echo', { text: 'meanwhile' }))).toBe('meanwhile');
    await product.call('dismissAccess', { server: 'work' });
    expect(errorCodeOf(await call)).toBe('E_SCOPE_NEEDED');
  });

  it('serves two hosts that need different scopes with one sign-in', async () => {
    const { as, product } = await startStepUpWorld(closing, {
      mcp: { toolScopes: { admin: 'mcp:admin', add: 'mcp:audit' } },
    });
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

  it('ends the call with E_SCOPE_NEEDED when the user declines, and does not ask again for the next one', async () => {
    const { product } = await startStepUpWorld(closing);
    const host = await hostOf(product, 'Cursor');
    const call = host.call('admin');
    await needsAccess(product);
    expect(await product.call('dismissAccess', { server: 'work' })).toMatchObject({ state: { kind: 'signed_in' } });
    expect(errorCodeOf(await call)).toBe('E_SCOPE_NEEDED');
    expect(errorCodeOf(await host.call('admin'))).toBe('E_SCOPE_NEEDED');
    expect(await stateOf(product)).toMatchObject({ kind: 'signed_in' });
    expect(product.browser.openings).toBe(1);
  });

  it('ends the held call and keeps the old sign-in when the new one is cancelled', async () => {
    const { product } = await startStepUpWorld(closing);
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

  it('sends no response and never runs the tool when the host cancels its call', async () => {
    const { mcp, product } = await startStepUpWorld(closing);
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

  it('sends progress to a host that asked for it', async () => {
    const { product } = await startStepUpWorld(closing);
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

  it('starts the sign-in itself if automatic sign-in is enabled', async () => {
    const { product } = await startStepUpWorld(closing, { autoSignIn: true });
    const host = await hostOf(product, 'Cursor');
    expect(textOf(await host.call('admin'))).toBe('done as admin');
    expect(product.browser.openings).toBe(2);
  });

  it('remembers which scopes a tool needed, and asks for them at the next sign-in', async () => {
    const { as, product } = await startStepUpWorld(closing, { autoSignIn: true });
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

  it('forgets learned scopes when the user chooses the scopes', async () => {
    const { as, product } = await startStepUpWorld(closing, { autoSignIn: true });
    const host = await hostOf(product, 'Cursor');
    await host.call('admin');
    await product.call('configureServer', { server: 'work', settings: { scopes: ['mcp:tools'] } });
    await product.call('signIn', { server: 'work' });
    expect(as.seen.authorize.at(-1)?.get('scope')?.split(' ')).not.toContain('mcp:admin');
  });
});

describe('the command line', () => {
  it('shows which host and tool asked for more access', async () => {
    const { product } = await startStepUpWorld(closing);
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
