import { describe, expect, it } from 'vitest';
import { errorCodeOf } from '../fixtures/bridge-place.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { needsAccess, startFaultyStepUpWorld, stateOf } from '../fixtures/step-up-worlds.ts';

const closing = closeAfterEach();

describe('step-up with a server', () => {
  it('mcp-403-scope: always asking for more causes at most two sign-ins per tool, then E_SCOPE_NEEDED', async () => {
    const { product, host } = await startFaultyStepUpWorld(closing, 'mcp-403-scope', {}, { autoSignIn: true });
    expect(errorCodeOf(await host.call('echo', { text: 'x' }))).toBe('E_SCOPE_NEEDED');
    expect(product.browser.openings).toBe(3);
    expect(errorCodeOf(await host.call('echo', { text: 'x' }))).toBe('E_SCOPE_NEEDED');
    expect(errorCodeOf(await host.call('add', { a: 1, b: 1 }))).toBe('E_SCOPE_NEEDED');
    expect(product.browser.openings).toBe(3);
  });

  it('mcp-403-scope: ten simultaneous calls count as one attempt', async () => {
    const { product, host } = await startFaultyStepUpWorld(closing, 'mcp-403-scope', { lenient: true });
    const calls = Array.from({ length: 10 }, (_, n) => host.call('echo', { text: `call ${n}` }));
    await needsAccess(product);
    await product.call('signIn', { server: 'work' });
    expect((await Promise.all(calls)).every((answer) => answer.error === undefined)).toBe(true);
    expect(product.browser.openings).toBe(2);
  });

  it('mcp-403-missing-scopes: asks for listed scopes that were not granted (mcp-auth)', async () => {
    const { remote, product, host } = await startFaultyStepUpWorld(closing, 'mcp-403-missing-scopes');
    const call = host.call('echo', { text: 'with more' });
    expect(await needsAccess(product)).toMatchObject({ scopes: ['mcp:more'] });
    await product.call('signIn', { server: 'work' });
    expect((await call).error).toBeUndefined();
    expect(remote.seen.authorize.at(-1)?.get('scope')).toContain('mcp:more');
  });

  it('mcp-403-scope-in-body: reads the scopes from the body of a 403 without a challenge', async () => {
    const { product, host } = await startFaultyStepUpWorld(closing, 'mcp-403-scope-in-body');
    const call = host.call('echo', { text: 'with more' });
    expect(await needsAccess(product)).toMatchObject({ scopes: ['mcp:more'] });
    await product.call('signIn', { server: 'work' });
    expect((await call).error).toBeUndefined();
  });

  it('mcp-403: passes on a refusal for another reason immediately', async () => {
    const { product, host } = await startFaultyStepUpWorld(closing, 'mcp-403');
    expect(errorCodeOf(await host.call('echo', { text: 'x' }))).toBe('E_SERVER_REFUSED');
    expect(await stateOf(product)).toMatchObject({ kind: 'signed_in' });
  });
});
