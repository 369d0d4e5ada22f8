import { describe, expect, it } from 'vitest';
import { errorCodeOf } from '../fixtures/bridge-place.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { needsAccess, startFaultyStepUpWorld, stateOf } from '../fixtures/step-up-worlds.ts';

const closing = closeAfterEach();

describe('servers that ask in their own way, or without end', () => {
  it('mcp-403-scope: a server that is never content gets two sign-ins for a tool, then E_SCOPE_NEEDED at once', async () => {
    const { product, host } = await startFaultyStepUpWorld(closing, 'mcp-403-scope', {}, { autoSignIn: true });
    expect(errorCodeOf(await host.call('echo', { text: 'x' }))).toBe('E_SCOPE_NEEDED');
    expect(product.browser.openings).toBe(3);
    expect(errorCodeOf(await host.call('echo', { text: 'x' }))).toBe('E_SCOPE_NEEDED');
    expect(errorCodeOf(await host.call('add', { a: 1, b: 1 }))).toBe('E_SCOPE_NEEDED');
    expect(product.browser.openings).toBe(3);
  });

  it('mcp-403-scope: ten calls at once count as one', async () => {
    const { product, host } = await startFaultyStepUpWorld(closing, 'mcp-403-scope', { lenient: true });
    const calls = Array.from({ length: 10 }, (_, n) => host.call('echo', { text: `call ${n}` }));
    await needsAccess(product);
    await product.call('signIn', { server: 'work' });
    expect((await Promise.all(calls)).every((answer) => answer.error === undefined)).toBe(true);
    expect(product.browser.openings).toBe(2);
  });

  it('mcp-403-missing-scopes (as mcp-auth): offers what the resource lists and was not granted', async () => {
    const { remote, product, host } = await startFaultyStepUpWorld(closing, 'mcp-403-missing-scopes');
    const call = host.call('echo', { text: 'with more' });
    expect(await needsAccess(product)).toMatchObject({ scopes: ['mcp:more'] });
    await product.call('signIn', { server: 'work' });
    expect((await call).error).toBeUndefined();
    expect(remote.seen.authorize.at(-1)?.get('scope')).toContain('mcp:more');
  });

  it('mcp-403-scope-in-body: a bare 403 whose body says scope', async () => {
    const { product, host } = await startFaultyStepUpWorld(closing, 'mcp-403-scope-in-body');
    const call = host.call('echo', { text: 'with more' });
    expect(await needsAccess(product)).toMatchObject({ scopes: ['mcp:more'] });
    await product.call('signIn', { server: 'work' });
    expect((await call).error).toBeUndefined();
  });

  it('mcp-403: a refusal that is about something else is passed on at once', async () => {
    const { product, host } = await startFaultyStepUpWorld(closing, 'mcp-403');
    expect(errorCodeOf(await host.call('echo', { text: 'x' }))).toBe('E_SERVER_REFUSED');
    expect(await stateOf(product)).toMatchObject({ kind: 'signed_in' });
  });
});
