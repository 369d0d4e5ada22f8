import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../../electron/core/base/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { locked, unavailable } from '../fixtures/fake-store.ts';
import { json, startFakeTimeCore, type FakeTimeCore, type Fault } from '../fixtures/fake-time-core.ts';

// Each temporary fault lasts ten minutes, which is six lifetimes of the access token. Automatic sign-in is on, so that
// a fault that is mistaken for a lost sign-in opens the browser.

let core: FakeTimeCore;
afterEach(() => core.close());

const page =
  (status: number, headers = {}): Fault =>
  async () => ({
    status,
    headers: { 'content-type': 'text/html', ...headers },
    body: Buffer.from('<html>Welcome</html>'),
  });
const breaks =
  (code: ErrorCode, sent: boolean): Fault =>
  async () =>
    Promise.reject(new AppError(code, 'Broken.', { sent }));

/** No response before the time limit. Requests that are waiting when the fault ends are then served. */
function silent(): { readonly fault: Fault; end(): void } {
  const held = new Set<() => void>();
  const fault: Fault = (request, pass) =>
    new Promise((resolve, reject) => {
      const cancel = core.clock.after(request.timeoutMs, () => {
        held.delete(arrive);
        reject(new AppError('E_TIMEOUT', 'No answer.', { sent: true }));
      });
      const arrive = () => {
        cancel();
        resolve(pass());
      };
      held.add(arrive);
    });
  return {
    fault,
    end: () => {
      for (const arrive of held) arrive();
      held.clear();
    },
  };
}

/** Starts the fault. Returns a function that ends it. */
type Begin = () => () => void;

const servers =
  (fault: Fault, which: readonly ('as' | 'mcp')[]): Begin =>
  () => {
    for (const one of which) core.faults[one] = fault;
    return () => {
      core.faults.as = core.faults.mcp = undefined;
    };
  };

const answers: readonly (readonly [string, Fault])[] = [
  ['500', async () => json(500, { error: 'server_error' })],
  ['503 with a page', page(503)],
  ['429 with Retry-After', async () => json(429, {}, { 'retry-after': '3' })],
  ['HTML in place of JSON', page(200)],
  ['connections reset', breaks('E_CONNECTION_LOST', true)],
  ['connections refused', breaks('E_CONNECT', false)],
  ['TLS that cannot be trusted', breaks('E_TLS', false)],
  ['a captive portal', page(302, { location: 'http://portal.example/login' })],
];

const silence =
  (which: readonly ('as' | 'mcp')[]): Begin =>
  () => {
    const line = silent();
    const clear = servers(line.fault, which)();
    return () => {
      clear();
      line.end();
    };
  };

const noNames: Begin = () => {
  const clear = servers(breaks('E_DNS', false), ['as', 'mcp'])();
  core.faults.dns = true;
  return () => {
    clear();
    core.faults.dns = false;
  };
};

const keychain =
  (fault: typeof locked): Begin =>
  () => {
    core.store.fault = () => fault;
    return () => {
      core.store.fault = undefined;
    };
  };

const faults: readonly (readonly [string, Begin])[] = [
  ...answers.flatMap(([name, fault]) => [
    [`${name}, of the authorization server`, servers(fault, ['as'])] as const,
    [`${name}, everywhere`, servers(fault, ['as', 'mcp'])] as const,
  ]),
  ['silence, of the authorization server', silence(['as'])],
  ['silence, everywhere', silence(['as', 'mcp'])],
  ['no DNS', noNames],
  ['the keychain is locked', keychain(locked)],
  ['the keychain does not respond', keychain(unavailable)],
];

const tenMinutes = 600_000;

/** Advances time with a call each `everyMs`, without waiting for them. Returns their outcomes so far. */
async function callEach(everyMs: number, forMs: number): Promise<(string | undefined)[]> {
  const got: (string | undefined)[] = [];
  for (let passed = 0; passed < forMs; passed += everyMs) {
    const mine = got.push(undefined) - 1;
    const listen = async () => void (got[mine] = await core.call());
    void listen();
    await core.clock.advance(everyMs);
  }
  return got;
}

/** Seconds of fake time until a host that calls every second is served. All later calls must succeed. */
async function servedAgain(): Promise<void> {
  const first = await callEach(1_000, 5_000);
  expect(first.at(-1), `calls after the recovery: ${first.join(', ')}`).toBe('ok');
  expect(new Set(first.slice(first.indexOf('ok'))), first.join(', ')).toEqual(new Set(['ok']));
  // Beyond one expiry, to show that the sign-in still works.
  expect(new Set(await callEach(10_000, 250_000))).toEqual(new Set(['ok']));
  expect(core.openings).toBe(1);
  expect(core.counts).toEqual({ codes: 1, reuses: 0 });
}

describe('ten minutes of', () => {
  it.each(faults)(
    '%s, with a call every 10 s: opens no browser, loses nothing, and serves calls within 5 s afterwards',
    async (_name, begin) => {
      core = await startFakeTimeCore();
      expect(await core.call()).toBe('ok');
      const before = { token: core.sent.token.length, mcp: core.sent.mcp.length };
      const end = begin();
      const got = await callEach(10_000, tenMinutes);

      // Some calls failed, but none of them because of the sign-in.
      expect(got.slice(15)).not.toContain('ok');
      for (const outcome of got)
        expect([
          'E_SIGN_IN_NEEDED',
          'E_SIGN_IN_AGAIN',
          'E_CLIENT_REFUSED',
          'E_SERVER_REFUSED',
          'E_UNEXPECTED',
        ]).not.toContain(outcome);
      expect(core.openings).toBe(1);
      // At most one attempt per 2 s while calls wait, and the MCP server sees each call only a few times.
      const times = core.sent.token.slice(before.token);
      expect(times.length).toBeLessThanOrEqual(tenMinutes / 2_000);
      for (const [index, at] of times.entries())
        if (index >= 2) expect(at - (times[index - 2] ?? 0)).toBeGreaterThanOrEqual(2_000);
      expect(core.sent.mcp.length - before.mcp).toBeLessThanOrEqual(got.length * 8);

      end();
      await servedAgain();
    },
  );

  it.each(faults)(
    '%s, with an idle bridge: makes at most a dozen attempts, and serves calls within 5 s afterwards',
    async (_name, begin) => {
      core = await startFakeTimeCore();
      const before = core.sent.token.length;
      const end = begin();
      await core.clock.advance(tenMinutes);
      expect(core.sent.token.length - before).toBeLessThanOrEqual(12);
      expect(core.openings).toBe(1);

      end();
      await servedAgain();
    },
  );
});
