import { afterEach, describe, expect, it } from 'vitest';
import { rows } from '../fixtures/behaviour/rows.ts';
import { createWorlds } from '../fixtures/behaviour/worlds.ts';
import { errorCodeOf } from '../fixtures/bridge-place.ts';
import { textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';

const worlds = createWorlds();
afterEach(worlds.close);

describe(rows.forbiddenAtFirst, () => {
  it('is taken for a missing sign-in: calls report it, and the tools are there after the sign-in', async () => {
    const { remote, product, signIn, host } = await worlds.faulty({ scenario: 'mcp-403-no-token' });
    expect(await product.call('discover', { url: remote.url })).toMatchObject({
      needsSignIn: true,
      issuer: remote.issuer,
    });
    const app = await host();
    expect(errorCodeOf(await app.call('echo', { text: 'early' }))).toBe('E_SIGN_IN_NEEDED');
    await signIn();
    await app.notification('notifications/tools/list_changed');
    expect(textOf(await app.call('echo', { text: 'signed in' }))).toBe('signed in');
  });

  it('starts the sign-in from a call if that is allowed', async () => {
    const { echo, product } = await worlds.faulty({ scenario: 'mcp-403-no-token' }, { product: { autoSignIn: true } });
    expect(await echo('by itself')).toBe('by itself');
    expect(product.browser.openings).toBe(1);
  });

  it('may also come as a 401 to the first tool call', async () => {
    const { signIn, host } = await worlds.faulty({ scenario: 'mcp-open-handshake' });
    const app = await host();
    expect(JSON.stringify(await app.request('tools/list', {}))).toContain('echo');
    expect(errorCodeOf(await app.call('echo', { text: 'early' }))).toBe('E_SIGN_IN_NEEDED');
    await signIn();
    expect(textOf(await app.call('echo', { text: 'signed in' }))).toBe('signed in');
  });
});

it(rows.validRefused, async () => {
  const { remote, product, signIn, host } = await worlds.faulty();
  await signIn();
  const app = await host();
  await remote.setScenario('mcp-401-setup');
  const before = remote.counts.toolCalls;
  const first = await app.call('echo', { text: 'one' }, 30_000);
  const second = await app.call('echo', { text: 'two' }, 30_000);
  expect([first, second].map(errorCodeOf)).toEqual(['E_SERVER_REFUSED', 'E_SERVER_REFUSED']);
  for (const answer of [first, second])
    expect(textOf(answer)).toContain('MCP server requires configuration: set the API key in the admin page');
  expect(remote.counts.refreshes).toBe(1);
  // Two tokens, each of which is sent again while it is new, and the second call.
  expect(remote.counts.toolCalls - before).toBeLessThanOrEqual(11);
  expect(product.browser.openings).toBe(1);
});

describe(rows.streamsCut, () => {
  it('fails if the connection is cut too', async () => {
    const { remote, product, signIn, host } = await worlds.faulty({ getStream: true });
    await signIn();
    const app = await host();
    await until(() => remote.openStreams === 1, 'the server’s own stream');
    await remote.setScenario('sse-cut-at-expiry');
    expect(errorCodeOf(await app.call('echo', { text: 'cut' }, 30_000))).toBe('E_OUTCOME_UNKNOWN');
    expect(textOf(await app.call('echo', { text: 'next' }, 30_000))).toBe('next');
    await until(() => remote.openStreams === 1, 'the server’s own stream is open again');
    expect(remote.counts.refreshes).toBe(1);
    expect(product.browser.openings).toBe(1);
  });

  it('fails if the stream ends regularly', async () => {
    const { remote, signIn, host } = await worlds.faulty();
    await signIn();
    const app = await host();
    await remote.setScenario('sse-expire');
    expect(errorCodeOf(await app.call('echo', { text: 'cut' }, 30_000))).toBe('E_OUTCOME_UNKNOWN');
    expect(textOf(await app.call('echo', { text: 'next' }, 30_000))).toBe('next');
  });

  it('fails on a server of the official SDK during a slow tool call', async () => {
    const { as, mcp, signIn, host } = await worlds.peers();
    await signIn();
    const app = await host();
    const call = app.call('slow', { ms: 20_000 }, 15_000);
    await until(() => mcp.counts.toolRuns === 1, 'the tool runs');
    as.revokeAccessTokens();
    mcp.cutConnections();
    expect(errorCodeOf(await call)).toBe('E_OUTCOME_UNKNOWN');
    expect(textOf(await app.call('echo', { text: 'next' }, 30_000))).toBe('next');
  });
});
