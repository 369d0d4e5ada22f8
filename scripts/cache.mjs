// The cache of what commands fetch once. It is outside the checkout, so that another checkout can use it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { withLock } from './lock.mjs';

const root = path.join(import.meta.dirname, '..');

/** After this time the registry is considered unreachable. */
const fetchLimitMs = 900_000;

/**
 * In XDG_CACHE_HOME or ~/.cache, or in the checkout's .cache if neither is writable.
 * @returns {string} a folder that exists
 */
export function cacheFolder() {
  const candidates = [process.env.XDG_CACHE_HOME, homeCache()]
    .map((base) => (base ? path.join(base, 'keybridge') : ''))
    .filter(Boolean);
  const own = path.join(root, '.cache', 'fetched');
  return [...candidates, own].find(isUsable) ?? own;
}

function homeCache() {
  try {
    const home = os.homedir();
    return path.isAbsolute(home) && existsSync(home) ? path.join(home, '.cache') : undefined;
  } catch {
    // The system has no entry for this user.
    return undefined;
  }
}

/** @param {string} folder */
function isUsable(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
    return path.isAbsolute(folder);
  } catch {
    return false;
  }
}

/**
 * Returns a folder of the cache that `install` has filled once for this `key`. An incomplete installation is not used.
 * @param {string} kind part of the folder's name
 * @param {string | Buffer} key identifies what is installed
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
 * Installs the packages of source/package-lock.json, unless the cache has them.
 * @param {string} kind part of the folder's name
 * @param {string} source folder with package.json and package-lock.json
 * @param {() => void} onFetch called before they are fetched
 * @returns {Promise<string>} the folder with node_modules
 */
export async function ensurePackages(kind, source, onFetch) {
  const lock = await readFile(path.join(source, 'package-lock.json'));
  return ensureCached(kind, lock, async (folder) => {
    onFetch();
    for (const name of ['package.json', 'package-lock.json'])
      await copyFile(path.join(source, name), path.join(folder, name));
    // npm's own cache would be a second copy, in a home folder that may not exist.
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
 * @returns {Promise<string>} its output. Rejects with the line that names the cause; `code` is that of npm (E404,
 *   EINTEGRITY), that of the system (ENOENT) or the exit code.
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
      const message = `${path.basename(command)} ended with ${signal ?? code}: ${errorLine(text)}`;
      return reject(Object.assign(new Error(message), { code: npmCode ?? code ?? signal }));
    });
  });
}

/**
 * The line in which npm, pip or Maven names the error, otherwise the last one.
 * @param {string} text
 */
function errorLine(text) {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return (lines.find((line) => /^(?:npm error code|ERROR:|\[ERROR\])/.test(line)) ?? lines.at(-1) ?? 'no output').slice(
    0,
    300,
  );
}
