// npm run package: packages the app without an installer (release/linux-unpacked and so on).
//   npm run package -- deb AppImage   makes installers; docs/packaging.md says what each needs
//   --out FOLDER                      instead of release/
import { cp, mkdir, readdir, rm, writeFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildAll, mapsFolder } from './build.mjs';
import { ensureElectron } from './electron-runtime.mjs';
import { withLock } from './lock.mjs';
import { ensureModules, runCommand } from './setup.mjs';
import { isHardened, makeSingleExecutable, releaseRefused } from './single-executable.mjs';

const root = path.join(import.meta.dirname, '..');
const work = path.join(root, '.cache', 'package');
const executableName = process.platform === 'win32' ? 'keybridge.exe' : 'keybridge';

/**
 * @param {{ out?: string, targets?: string[] }} options targets: electron-builder's names; without any, the unpacked
 *   app
 * @returns {Promise<{ out: string, electron: import('./electron-runtime.mjs').ElectronRuntime }>}
 */
export async function packageApp({ out = path.join(root, 'release'), targets = [] } = {}) {
  const electron = await ensureElectron();
  await withLock(path.join(root, '.cache', 'package.lock'), async () => {
    await rm(work, { recursive: true, force: true });
    const dist = path.join(work, 'dist');
    await buildAll({ out: dist });
    await prepareApp(dist);
    await prepareCommandLine(dist);
    await runBuilder({ out, targets, electron });
    await keepSourceMaps(dist, out);
  });
  return { out, electron };
}

/**
 * Collects the content of app.asar: the files that Electron loads, without the command line.
 * @param {string} dist
 */
async function prepareApp(dist) {
  const app = path.join(work, 'app');
  for (const name of ['main.js', 'preload.cjs', 'keychain.cjs', 'renderer'])
    await cp(path.join(dist, name), path.join(app, 'dist', name), { recursive: true });
  await cp(path.join(root, 'build', 'tray'), path.join(app, 'build', 'tray'), { recursive: true });
  await cp(path.join(root, 'build', 'icons', '256x256.png'), path.join(app, 'build', 'icons', '256x256.png'));
  const { name, productName, version, description, license, type, main, dependencies } = JSON.parse(
    await readFile(path.join(root, 'package.json'), 'utf8'),
  );
  const about = {
    name,
    productName,
    version,
    description,
    license,
    author: 'The Keybridge authors',
    homepage: 'https://github.com/keybridge/keybridge',
    type,
    main,
    dependencies,
  };
  await writeFile(path.join(app, 'package.json'), JSON.stringify(about, null, 2));
  await copyKeytar(path.join(app, 'node_modules', 'keytar'));
}

/**
 * Creates resources/bin: the program that hosts start, and the native library that it cannot contain.
 * @param {string} dist
 */
async function prepareCommandLine(dist) {
  const bin = path.join(work, 'bin');
  await mkdir(bin, { recursive: true });
  await makeCommandLine(dist, path.join(bin, executableName));
}

/**
 * Makes the command line a single executable from the files in `dist`.
 * @param {string} dist
 * @param {string} executable
 */
export async function makeCommandLine(dist, executable) {
  const apart = new Set(['bridge.cjs', 'preload.cjs']);
  const scripts = (await readdir(dist))
    .filter((name) => name.endsWith('.cjs') && !apart.has(name))
    .map((name) => path.join(dist, name));
  const keytar = path.join(root, 'node_modules', 'keytar');
  const native = path.join(keytar, 'prebuilds', `${process.platform}-${process.arch}`, 'keytar.node');
  await makeSingleExecutable({ scripts, keytar: path.join(keytar, 'lib', 'keytar.js'), native, executable });
}

/**
 * Keeps the source maps next to the packages, so that logs of this version can be decoded.
 * @param {string} dist
 * @param {string} out
 */
async function keepSourceMaps(dist, out) {
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const kept = path.join(out, `${mapsFolder}-${version}-${process.platform}-${process.arch}`);
  await rm(kept, { recursive: true, force: true });
  await cp(path.join(dist, mapsFolder), kept, { recursive: true });
}

/**
 * Copies keytar with the binary for this platform, without sources and build scripts.
 * @param {string} to
 */
async function copyKeytar(to) {
  const from = path.join(root, 'node_modules', 'keytar');
  const prebuilt = path.join('prebuilds', `${process.platform}-${process.arch}`);
  for (const name of ['package.json', 'lib', 'LICENSE.md', prebuilt])
    await cp(path.join(from, name), path.join(to, name), { recursive: true });
}

/** @param {{ out: string, targets: string[], electron: import('./electron-runtime.mjs').ElectronRuntime }} options */
async function runBuilder({ out, targets, electron }) {
  const { build, Platform } = await import('electron-builder');
  await build({
    projectDir: root,
    publish: 'never',
    targets: Platform.current().createTarget(targets.length > 0 ? targets : ['dir']),
    // In addition to electron-builder.yml.
    config: {
      directories: { output: out },
      // The Electron that is there already, so that none is downloaded.
      electronDist: electron.dist,
      electronVersion: electron.version,
    },
  });
}

async function runFromCommandLine() {
  await ensureModules();
  const { values, positionals: targets } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
  const out = values.out === undefined ? undefined : path.resolve(values.out);
  const refused = releaseRefused({ electron: (await ensureElectron()).kind });
  if (refused !== undefined) throw new Error(refused);
  const done = await packageApp({ targets, ...(out ? { out } : {}) });
  console.log(`The app is in ${path.relative(process.cwd(), done.out)}${path.sep}.`);
  if (done.electron.kind === 'development')
    console.log(`It contains a development Electron (${done.electron.version}). Do not give it to users.`);
  if (!isHardened())
    console.log(
      `Its command line contains Node ${process.versions.node}, which obeys NODE_OPTIONS. A release needs Node 24.`,
    );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runCommand(runFromCommandLine);
