import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { browserProgram } from '../fixtures/browser.ts';
import { startHost, textOf } from '../fixtures/host.ts';

/** @typedef {{ url: string, expire: () => Promise<unknown>, refreshes: () => Promise<number>, add?: string[], tool?: string }} Peer */

/**
 * Keybridge's main job at one peer, by the program that users get: add, sign in, call a tool, go on after the access token's
 * end, sign out. Throws at the first thing that is not as it must be.
 * @param {Peer} peer @param {string} program dist/keybridge.cjs
 * @returns {Promise<string>} what was seen, in one line
 */
export async function mainJob(peer, program) {
  const keybridge = await startKeybridge(program);
  try {
    await keybridge.run('add', peer.url, '--name', 'peer', ...(peer.add ?? []));
    const host = keybridge.host('peer');
    await host.initialize();
    const early = await host.call(peer.tool ?? 'echo', { text: 'early' });
    must(early.error?.data?.code === 'E_SIGN_IN_NEEDED', `a call before the sign-in was answered ${JSON.stringify(early)}`);

    await keybridge.run('login', 'peer');
    must((await keybridge.openings()) === 1, 'the sign-in did not open exactly one browser page');
    await calls(host, peer, 'first');

    const before = await peer.refreshes();
    await peer.expire();
    // Ten at once with a token that is no longer taken: a rotated refresh token must be used once.
    await Promise.all(Array.from({ length: 10 }, (_, n) => calls(host, peer, `after-${n}`)));
    const refreshes = (await peer.refreshes()) - before;
    must(refreshes === 1, `${refreshes} refreshes for one expiry`);
    must((await keybridge.openings()) === 1, 'the expiry opened the browser');

    const out = await keybridge.run('logout', 'peer');
    must(out.deleted === true, `sign-out said ${JSON.stringify(out)}`);
    const late = await host.call(peer.tool ?? 'echo', { text: 'late' });
    must(late.error?.data?.code === 'E_SIGN_IN_NEEDED', `a call after the sign-out was answered ${JSON.stringify(late)}`);
    return `11 calls, 1 browser page, 1 refresh, revocation ${out.revoked}`;
  } finally {
    await keybridge.close();
  }
}

async function calls(host, peer, text) {
  const answer = await host.call(peer.tool ?? 'echo', { text }, 20_000);
  must(answer.error === undefined && textOf(answer).includes(text), `the call "${text}" was answered ${JSON.stringify(answer)}`);
}

function must(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

/** `keybridge serve` in a home folder of its own, with a memory store, and a browser that counts its openings. */
async function startKeybridge(program) {
  const home = await mkdtemp(path.join(os.tmpdir(), 'keybridge-interop-'));
  const browser = path.join(home, 'browser');
  await mkdir(path.join(home, 'data'), { mode: 0o700 });
  await writeFile(path.join(home, 'opened'), '');
  await writeFile(browser, `#!/bin/sh\necho "$1" >>"${home}/opened"\nexec "${process.execPath}" "${browserProgram}" "$@"\n`);
  await chmod(browser, 0o700);
  const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home, KEYBRIDGE_DATA_DIR: path.join(home, 'data'), KEYBRIDGE_STORE: 'memory', BROWSER: browser };
  const hosts = [];

  const broker = spawn(process.execPath, [program, 'serve', '--json'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const brokerEnded = new Promise((resolve) => broker.once('close', resolve));
  const ready = new Promise((resolve) => createInterface({ input: broker.stdout }).once('line', resolve));
  await Promise.race([ready, brokerEnded.then(() => Promise.reject(new Error('keybridge serve ended before it was ready')))]);

  return {
    host: (name) => {
      const host = startHost(process.execPath, [program, 'connect', name], env);
      hosts.push(host);
      return host;
    },
    openings: async () => (await readFile(path.join(home, 'opened'), 'utf8')).split('\n').length - 1,
    run: (...args) => command(program, [...args, '--json'], env),
    close: async () => {
      for (const host of hosts) await host.close().catch(() => {});
      broker.stdin.end();
      const late = setTimeout(() => broker.kill('SIGKILL'), 10_000);
      await brokerEnded;
      clearTimeout(late);
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** One command; resolves with what it printed, as JSON. */
function command(program, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
    let text = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk) => (errors += chunk));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`keybridge ${args[0]} failed (${code}): ${text}${errors}`))));
  });
}
