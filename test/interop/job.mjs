import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { browserProgram } from '../fixtures/browser.ts';
import { startHost, textOf } from '../fixtures/host.ts';

/**
 * @typedef {object} Peer
 * @property {string} url
 * @property {() => Promise<unknown>} expire resolves when the access token is no longer valid
 * @property {() => Promise<number>} refreshes the number of refreshes so far
 * @property {string[]} [add] options of `keybridge add`
 * @property {string} [caFile] PEM, for the browser
 * @property {(text: string) => { tool: string, input: object, shows: string }} [call] a tool, and what it must
 *   answer; default: `echo`
 */

const echo = (text) => ({ tool: 'echo', input: { text }, shows: text });

/**
 * Does Keybridge's main job at one peer, with the program that users get: add, sign in, call a tool, continue after the
 * access token's end, sign out. Throws at the first unexpected result.
 * @param {Peer} peer @param {string} program dist/keybridge.cjs
 * @returns {Promise<string>} a summary in one line
 */
export async function mainJob(peer, program) {
  const keybridge = await startKeybridge(program, peer.caFile);
  const call = peer.call ?? echo;
  try {
    await keybridge.run('add', peer.url, '--name', 'peer', ...(peer.add ?? []));
    const host = keybridge.host('peer');
    await host.initialize();
    await refused(host, call('early'), 'before the sign-in');

    await keybridge.run('login', 'peer');
    must((await keybridge.openings()) === 1, 'the sign-in did not open exactly one browser page');
    await answered(host, call('first'));

    const before = await peer.refreshes();
    await peer.expire();
    // Ten parallel calls with a rejected token: a rotated refresh token must be used only once.
    await Promise.all(Array.from({ length: 10 }, (_, n) => answered(host, call(`after-${n}`))));
    const refreshes = (await peer.refreshes()) - before;
    must(refreshes === 1, `${refreshes} refreshes for one expiry`);
    must((await keybridge.openings()) === 1, 'the expiry opened the browser');

    const out = await keybridge.run('logout', 'peer');
    must(out.deleted === true, `sign-out said ${JSON.stringify(out)}`);
    await refused(host, call('late'), 'after the sign-out');
    const registration = out.registration ? `, registration ${out.registration}` : '';
    return `11 calls, 1 browser page, 1 refresh, revocation ${out.revoked}${registration}`;
  } finally {
    await keybridge.close();
  }
}

async function answered(host, { tool, input, shows }) {
  const answer = await host.call(tool, input, 20_000);
  must(
    answer.error === undefined && textOf(answer).includes(shows),
    `a call that should say "${shows}" was answered ${JSON.stringify(answer)}`,
  );
}

async function refused(host, { tool, input }, when) {
  const answer = await host.call(tool, input);
  must(answer.error?.data?.code === 'E_SIGN_IN_NEEDED', `a call ${when} was answered ${JSON.stringify(answer)}`);
}

function must(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

/** `keybridge serve` in a home folder of its own, with a memory store, and a browser that counts its openings. */
async function startKeybridge(program, caFile = '') {
  const home = await mkdtemp(path.join(os.tmpdir(), 'keybridge-interop-'));
  const removeHome = () => rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', removeHome);
  const browser = path.join(home, 'browser');
  await mkdir(path.join(home, 'data'), { mode: 0o700 });
  await writeFile(path.join(home, 'opened'), '');
  await writeFile(
    browser,
    `#!/bin/sh\necho "$1" >>"${home}/opened"\n` +
      `NODE_EXTRA_CA_CERTS="${caFile}" exec "${process.execPath}" "${browserProgram}" "$@"\n`,
  );
  await chmod(browser, 0o700);
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    TMPDIR: home,
    KEYBRIDGE_DATA_DIR: path.join(home, 'data'),
    KEYBRIDGE_STORE: 'memory',
    BROWSER: browser,
  };
  const hosts = [];

  const broker = spawn(process.execPath, [program, 'serve', '--json'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const brokerEnded = new Promise((resolve) => broker.once('close', resolve));
  const ready = new Promise((resolve) => createInterface({ input: broker.stdout }).once('line', resolve));
  await Promise.race([
    ready,
    brokerEnded.then(() => Promise.reject(new Error('keybridge serve ended before it was ready'))),
  ]);

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
      process.off('exit', removeHome);
      removeHome();
    },
  };
}

/** Runs one command. Resolves with its output, parsed as JSON. */
function command(program, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
    let text = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk) => (errors += chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0
        ? resolve(JSON.parse(text))
        : reject(new Error(`keybridge ${args[0]} failed (${code}): ${text}${errors}`)),
    );
  });
}
