// Finds or fetches an Electron. `node scripts/electron-runtime.mjs` prints where it is.
import { existsSync } from 'node:fs';
import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheFolder } from './cache.mjs';
import { withLock } from './lock.mjs';
import { runProgram } from './run-program.mjs';
import { standIn, unpackStandIn } from './stand-in-electron.mjs';

const root = path.join(import.meta.dirname, '..');
const electronPackage = path.join(root, 'node_modules', 'electron');
const downloadLimitMs = 300_000;
const retryDownloadAfterMs = 24 * 3_600_000;

/**
 * @typedef {{ executable: string, dist: string, kind: 'release' | 'development', version: string }} ElectronRuntime
 * kind: 'development' if this is not the version that ships.
 */

/**
 * Returns the first of these: ELECTRON_OVERRIDE_DIST_PATH, the official Electron that was downloaded before, a download
 * of it, and on linux-x64 the stand-in in the cache folder.
 * @param {{ log?: (line: string) => void }} options
 * @returns {Promise<ElectronRuntime>}
 */
export async function ensureElectron({ log = console.error } = {}) {
  const wanted = JSON.parse(await readFile(path.join(electronPackage, 'package.json'), 'utf8')).version;
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (override) return runtimeIn(override, wanted);
  const official = path.join(electronPackage, 'dist');
  if (await isDownloaded(wanted, official)) return runtimeIn(official, wanted);
  const cached = path.join(cacheFolder(), `electron-${standIn.electron}-${standIn.layout}`);
  if (await downloadOfficial(wanted, official, cached, log)) return runtimeIn(official, wanted);
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `Electron ${wanted} could not be downloaded. ` +
        'Set ELECTRON_MIRROR, or ELECTRON_OVERRIDE_DIST_PATH to an unpacked Electron.',
    );
  }
  await withLock(`${cached}.lock`, async () => {
    if (!(await versionIn(cached))) await unpackStandIn(cached, log);
  });
  return runtimeIn(cached, wanted);
}

/**
 * The installer of the package writes path.txt last, so an interrupted download does not count.
 * @param {string} wanted
 * @param {string} dist
 */
async function isDownloaded(wanted, dist) {
  return existsSync(path.join(electronPackage, 'path.txt')) && (await versionIn(dist)) === wanted;
}

/**
 * @param {string} dist
 * @param {string} wanted
 * @returns {Promise<ElectronRuntime>}
 */
async function runtimeIn(dist, wanted) {
  const version = await versionIn(dist);
  /** @type {Partial<Record<NodeJS.Platform, string>>} */
  const names = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' };
  const executable = path.join(dist, names[process.platform] ?? 'electron');
  if (!version || !existsSync(executable)) throw new Error(`There is no Electron in ${dist}.`);
  return { executable, dist, version, kind: version === wanted ? 'release' : 'development' };
}

/** @param {string} dist */
async function versionIn(dist) {
  const text = await readFile(path.join(dist, 'version'), 'utf8').catch(() => '');
  return text.trim().replace(/^v/, '');
}

/**
 * Downloads the official Electron; returns whether it is there afterwards. After a failure it is tried only once a day
 * if the stand-in is cached.
 * @param {string} wanted
 * @param {string} dist
 * @param {string} cached
 * @param {(line: string) => void} log
 */
async function downloadOfficial(wanted, dist, cached, log) {
  const failed = path.join(path.dirname(cached), `no-download-${wanted}`);
  const lastFailure = await stat(failed).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  if (existsSync(cached) && Date.now() - lastFailure < retryDownloadAfterMs) return false;
  log(`Downloading Electron ${wanted} ...`);
  await runProgram(process.execPath, [path.join(electronPackage, 'install.js')], {
    quiet: true,
    limitMs: downloadLimitMs,
  }).catch(() => {});
  if (await isDownloaded(wanted, dist)) return true;
  log('The official Electron could not be downloaded.');
  await writeFile(failed, '');
  await utimes(failed, new Date(), new Date());
  return false;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(JSON.stringify(await ensureElectron()));
