import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { withLock } from '../../scripts/lock.mjs';

const peers = path.join(import.meta.dirname, 'peers');
const cache = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'keybridge');

/**
 * A folder of the user's cache, filled once by `install` for each `key`; half an installation is never taken for a whole one.
 * @param {string} kind part of the folder's name
 * @param {string | Buffer} key what is to be installed: another key, another folder
 * @param {(folder: string) => Promise<void>} install
 * @returns {Promise<string>} the folder
 */
export async function ensureCached(kind, key, install) {
  const folder = path.join(cache, `interop-${kind}-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`);
  const done = path.join(folder, 'complete');
  await mkdir(cache, { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(done)) return;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await install(folder);
    await writeFile(done, '');
  });
  return folder;
}

/** The peers of the npm registry, checked against peers/package-lock.json. */
export async function ensureNodePeers(log) {
  const lock = await readFile(path.join(peers, 'package-lock.json'));
  return ensureCached('npm', lock, async (folder) => {
    log('Fetching the peers of the npm registry (once, about 100 MB)');
    for (const name of ['package.json', 'package-lock.json']) await copyFile(path.join(peers, name), path.join(folder, name));
    // None of these needs its install script.
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, shell: process.platform === 'win32' });
  });
}

/** The peers' programs beside what they import: Node finds packages by where the importing file is. */
export async function placePrograms(folder) {
  const place = path.join(folder, `programs-${process.pid}`);
  await mkdir(place, { recursive: true });
  for (const name of await readdir(peers)) {
    if (name.endsWith('.mjs')) await copyFile(path.join(peers, name), path.join(place, name));
  }
  return place;
}

/** Runs a program to its end; rejects with the last of what it printed. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk) => (text = (text + chunk).slice(-20_000)));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`${path.basename(command)} ${args[0]} failed (${code}): ${text.trim().split('\n').at(-1)}`))));
  });
}
