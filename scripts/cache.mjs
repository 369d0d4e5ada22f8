// What commands fetch once and keep: outside of the checkout, so that it outlives a fresh one.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { withLock } from './lock.mjs';

const root = path.join(import.meta.dirname, '..');

/** A fetch that takes longer has met a registry that does not answer. */
const fetchLimitMs = 900_000;

/**
 * Under XDG_CACHE_HOME or ~/.cache; in the checkout's .cache where neither can be written to (no home, a read-only
 * one).
 * @returns {string} a folder that exists
 */
export function cacheFolder() {
  const candidates = [process.env.XDG_CACHE_HOME, homeCache()]
    .map((base) => (base ? path.join(base, 'keybridge') : ''))
    .filter(Boolean);
  const own = path.join(root, '.cache', 'fetched');
  return [...candidates, own].find(usable) ?? own;
}

function homeCache() {
  try {
    const home = os.homedir();
    return path.isAbsolute(home) && existsSync(home) ? path.join(home, '.cache') : undefined;
  } catch {
    // A user that the system does not know.
    return undefined;
  }
}

/** @param {string} folder */
function usable(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
    return path.isAbsolute(folder);
  } catch {
    return false;
  }
}

/**
 * A folder of the cache, filled once by `install` for each `key`; half an installation is never taken for a whole one.
 * @param {string} kind part of the folder's name
 * @param {string | Buffer} key what is to be installed: another key, another folder
 * @param {(folder: string) => Promise<void>} install
 * @returns {Promise<string>} the folder
 */
export async function ensureCached(kind, key, install) {
  const folder = path.join(cacheFolder(), `${kind}-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`);
  const done = path.join(folder, 'complete');
  await mkdir(path.dirname(folder), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(done)) return;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    try {
      await install(folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    await writeFile(done, '');
  });
  return folder;
}

/**
 * The packages of source/package-lock.json, checked against it. `say` is called only when they have to be fetched.
 * @param {string} kind part of the folder's name
 * @param {string} source folder with package.json and package-lock.json
 * @param {() => void} say
 * @returns {Promise<string>} the folder that has node_modules
 */
export async function ensurePackages(kind, source, say) {
  const lock = await readFile(path.join(source, 'package-lock.json'));
  return ensureCached(kind, lock, async (folder) => {
    say();
    for (const name of ['package.json', 'package-lock.json'])
      await copyFile(path.join(source, name), path.join(folder, name));
    // npm would keep everything a second time, in a home that may not be there.
    const cache = path.join(folder, 'npm-cache');
    const args = [
      'ci',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-update-notifier',
      '--loglevel=error',
      '--fetch-retry-maxtimeout=20000',
      '--cache',
      cache,
    ];
    await run('npm', args, { cwd: folder, shell: process.platform === 'win32' });
    await rm(cache, { recursive: true, force: true });
  });
}

/**
 * Runs a program to its end.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<string>} what it printed. Rejects with the line of it that says why and, as `code`, npm's own
 *   code (E404,
 *   EINTEGRITY), the system's (ENOENT) or the exit code.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const kill = () => child.kill('SIGKILL');
    const late = setTimeout(kill, fetchLimitMs);
    process.once('exit', kill);
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk) => (text = (text + chunk).slice(-20_000)));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(late);
      process.off('exit', kill);
      if (code === 0) return resolve(text);
      const npmCode = /^npm error code (\w+)/m.exec(text)?.[1];
      const message = `${path.basename(command)} ended with ${signal ?? code}: ${complaint(text)}`;
      return reject(Object.assign(new Error(message), { code: npmCode ?? code ?? signal }));
    });
  });
}

/**
 * The line in which npm, pip or Maven says what is wrong; else the last one.
 * @param {string} text
 */
function complaint(text) {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return (
    lines.find((line) => /^(?:npm error code|ERROR:|\[ERROR\])/.test(line)) ??
    lines.at(-1) ??
    'it said nothing'
  ).slice(0, 300);
}
