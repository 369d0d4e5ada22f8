import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { silentLog } from '../../electron/core/base/log.ts';
import { openVault } from '../../electron/core/vault/credentials.ts';
import { createKeychainStore } from '../../electron/core/vault/keychain-client.ts';
import { createNodeKeychainSpawner } from '../../electron/core/vault/spawn-keychain.ts';
import { bundle } from '../fixtures/bundle.ts';
import { createFakeStore } from '../fixtures/fake-store.ts';
import { startFaulty, type Faulty } from '../fixtures/faulty-server.ts';
import { credentialId } from '../fixtures/access-tokens-rig.ts';
import { keyringMissing, startKeyring, type Keyring } from '../fixtures/keyring.ts';
import { killPoints, type KillTask } from '../fixtures/kill-task.ts';
import { signInAt } from '../fixtures/live-access-tokens.ts';

/** How often to kill at each point. The soak run sets more. */
const kills = Number(process.env['KEYBRIDGE_KILLS'] ?? 5);
const missing = keyringMissing();
if (missing !== undefined) console.log(`The kill tests run on a file instead of a real keyring: ${missing}`);

let folder: string;
let program: string;
let faulty: Faulty;
let strict: Faulty;
let keyring: Keyring | undefined;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'kill-'));
  program = await bundle(path.join(import.meta.dirname, '../fixtures', 'kill-program.ts'), folder);
  faulty = await startFaulty({ clients: [{ client_id: 'client-1' }] });
  strict = await startFaulty({ clients: [{ client_id: 'client-1' }], rotation: 'strict' });
  keyring = missing === undefined ? await startKeyring() : undefined;
});
afterAll(async () => {
  await keyring?.stop();
  await faulty.close();
  await strict.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly lines: string[];
  readonly signal: NodeJS.Signals | null;
}

/** Runs the program to its end. `killAfterMs`: kills it from outside, this long after its first line. */
async function run(task: KillTask, killAfterMs?: number): Promise<Run> {
  const child = spawn(process.execPath, [program, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (output === '' && killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    output += chunk.toString();
  });
  const signal = await new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('close', (_code, ended) => resolve(ended)),
  );
  return { lines: output.split('\n').filter(Boolean), signal };
}

/** A data folder with one sign-in in its store. */
async function signedIn(server: Faulty, onKeyring: boolean): Promise<Omit<KillTask, 'refresh'>> {
  const dataDir = mkdtempSync(path.join(folder, 'data-'));
  const keychain = path.join(import.meta.dirname, '../..', 'dist', 'keychain.cjs');
  const where: KillTask['store'] =
    keyring && onKeyring ? { bus: keyring.address, keychain } : { file: path.join(dataDir, 'store.json') };
  const store =
    'file' in where
      ? createFakeStore({ file: where.file })
      : createKeychainStore({
          spawnChild: createNodeKeychainSpawner({
            command: process.execPath,
            args: [keychain],
            env: { ...process.env, KEYBRIDGE_KEYCHAIN_DBUS: where.bus },
          }),
          label: 'Test keyring',
          service: 'Keybridge kill test',
          clock: systemClock(),
          log: silentLog,
        });
  try {
    const vault = await openVault({ store, dataDir, installId: 'install01', clock: systemClock(), log: silentLog });
    const { credential } = await signInAt(server);
    expect(await vault.write(credential)).toEqual({ kind: 'done' });
    return { dataDir, credential: credentialId, serverUrl: server.url, store: where };
  } finally {
    await store.close();
  }
}

const live = (server: Faulty, token: string | undefined): Promise<boolean> =>
  fetch(server.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  }).then(async (answer) => {
    await answer.text();
    return answer.status !== 401;
  });

describe(`RF04 LC05 kill -9 during a refresh, ${kills} times, against a server with a grace window`, () => {
  it.each(killPoints.filter((point) => point !== 'after journal'))(
    'keeps the sign-in after every restart, killed %s',
    async (killAt) => {
      const task = await signedIn(faulty, true);
      for (let round = 0; round < kills; round += 1) {
        const killed = await run({ ...task, refresh: true, killAt });
        expect(killed).toEqual({ lines: [], signal: 'SIGKILL' });
        const restarted = await run({ ...task, refresh: false });
        expect(restarted.signal).toBeNull();
        expect(await live(faulty, restarted.lines[0])).toBe(true);
      }
      expect(faulty.counts.refreshReuses).toBe(0);
    },
    kills * 20_000,
  );

  it(
    'keeps the sign-in after every restart, killed at any moment',
    async () => {
      const task = await signedIn(faulty, true);
      for (let round = 0; round < kills * 2; round += 1) {
        const killed = await run({ ...task, refresh: true, forever: true }, Math.random() * 120);
        expect(killed.signal).toBe('SIGKILL');
        const restarted = await run({ ...task, refresh: false });
        expect(await live(faulty, restarted.lines[0])).toBe(true);
      }
    },
    kills * 40_000,
  );
});

describe(`RF04 kill -9 during a refresh, ${kills} times, against a server without a grace window`, () => {
  // Between the response and the store there is no valid token left to send: a strict server ends the sign-in then.
  it.each(killPoints.filter((point) => point !== 'after answer'))(
    'keeps the sign-in after every restart and uses no token twice, killed %s',
    async (killAt) => {
      const task = await signedIn(strict, false);
      for (let round = 0; round < kills; round += 1) {
        expect(await run({ ...task, refresh: true, killAt })).toEqual({ lines: [], signal: 'SIGKILL' });
        const restarted = await run({ ...task, refresh: false });
        expect(await live(strict, restarted.lines[0])).toBe(true);
      }
      expect(strict.counts.refreshReuses).toBe(0);
    },
    kills * 20_000,
  );

  it('ends the sign-in with one report and an intact store, killed after answer', async () => {
    const task = await signedIn(strict, false);
    await run({ ...task, refresh: true, killAt: 'after answer' });
    expect((await run({ ...task, refresh: false })).lines).toEqual(['refused E_SIGN_IN_AGAIN']);
    const vault = await openVault({
      store: createFakeStore({ file: path.join(task.dataDir, 'store.json') }),
      dataDir: task.dataDir,
      installId: 'install01',
      clock: systemClock(),
      log: silentLog,
    });
    expect(await vault.read(credentialId)).toMatchObject({
      kind: 'found',
      credential: { quarantinedAt: expect.any(Number) as number },
    });
    expect(vault.openJournals()).toEqual([]);
  });
});
