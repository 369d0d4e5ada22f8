import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { json, startFakeTimeCore, type FakeTimeCore, type Fault } from '../../fixtures/fake-time-core.ts';

let core: FakeTimeCore;
beforeEach(async () => {
  core = await startFakeTimeCore();
});
afterEach(() => core.close());

const refused = (headers = {}) =>
  json(401, { error: 'invalid_token' }, { 'www-authenticate': 'Bearer error="invalid_token"', ...headers });

/** The MCP server accepts a token only this long after it was issued. */
const late =
  (ms: number): Fault =>
  async (_request, pass) =>
    core.clock.now() < (core.sent.token.at(-1) ?? 0) + ms ? refused() : pass();

/** The outcome of a call after `ms`. */
async function callWithin(ms: number): Promise<string> {
  let outcome = 'nothing yet';
  void core.call().then((result) => (outcome = result));
  for (let passed = 0; passed < ms; passed += 100) await core.clock.advance(100);
  return outcome;
}

const refreshes = () => core.sent.token.length - 1;

describe('an MCP server that learns of a token late', () => {
  it.each([300, 1_000, 2_000, 4_900])(
    'gets the same token again without a refresh when it accepts it %i ms after the sign-in',
    async (ms) => {
      core.faults.mcp = late(ms);
      expect(await callWithin(6_000)).toBe('ok');
      expect(refreshes()).toBe(0);
    },
  );

  it.each([300, 2_000])('costs one refresh when it accepts the new token %i ms after it was issued', async (ms) => {
    await core.clock.advance(6_000);
    const afterwards = late(ms);
    core.faults.mcp = async (request, pass) =>
      request.headers?.['authorization'] === 'Bearer access-1' ? refused() : afterwards(request, pass);
    expect(await callWithin(6_000)).toBe('ok');
    expect(refreshes()).toBe(1);
  });

  it('costs at most 14 requests and one refresh when it never accepts the token', async () => {
    core.faults.mcp = async () => refused();
    expect(await callWithin(15_000)).toMatch(/^(?:E_SERVER_REFUSED|status 401)$/);
    expect(refreshes()).toBe(1);
    expect(core.sent.mcp.length).toBeLessThanOrEqual(14);
  });

  it('gets a new token at the first rejection of one that is older than five seconds', async () => {
    await core.clock.advance(6_000);
    let first = true;
    core.faults.mcp = async (_request, pass) => {
      if (!first) return pass();
      first = false;
      return refused();
    };
    expect(await callWithin(100)).toBe('ok');
    expect(refreshes()).toBe(1);
  });
});

describe('an expired token that is rejected without a 401', () => {
  const challenge = { 'www-authenticate': 'Bearer error="invalid_token", error_description="The token expired"' };
  const old = 6_000;
  const once =
    (status: number, body: unknown, headers = {}): Fault =>
    async (request, pass) =>
      request.headers?.['authorization'] === 'Bearer access-1' ? json(status, body, headers) : pass();

  it.each([
    ['403 with error="invalid_token"', 403, {}, challenge],
    ['400 with error="invalid_token"', 400, {}, challenge],
  ])('is refreshed and sent again once after a %s', async (_name, status, body, headers) => {
    await core.clock.advance(old);
    const before = core.sent.mcp.length;
    core.faults.mcp = once(status, body, headers);
    expect(await callWithin(1_000)).toBe('ok');
    expect(refreshes()).toBe(1);
    expect(core.sent.mcp.length - before).toBe(2);
  });

  it.each([403, 400])(
    'is refreshed without repeating the call after a %i with the code only in the body, which a tool may have written',
    async (status) => {
      await core.clock.advance(old);
      const before = core.sent.mcp.length;
      core.faults.mcp = once(status, { error: 'invalid_token' });
      expect(await callWithin(1_000)).toBe(`status ${status}`);
      expect(core.sent.mcp.length - before).toBe(1);
      expect(refreshes()).toBe(1);
      expect(await callWithin(1_000)).toBe('ok');
    },
  );

  it.each([403, 400])(
    'is refreshed once when the server answers %i with error="invalid_token" to every token',
    async (status) => {
      await core.clock.advance(old);
      core.faults.mcp = async () => json(status, {}, challenge);
      expect(await callWithin(10_000)).toMatch(/^(?:E_SERVER_REFUSED|status 403)$/);
      expect(refreshes()).toBe(1);
    },
  );
});
