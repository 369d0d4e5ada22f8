// Builds the programs: `node scripts/build.mjs [--if-stale] [--test] [--out FOLDER] [--dev-server URL]`.
// --test makes a build that accepts debuggers (Playwright). It is never packaged for users.
// --dev-server makes a build without pages, for `npm run dev`. Its window shows the pages of that server.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { developmentPages, filesOnDemand } from './build-plugins.mjs';
import { withLock } from './lock.mjs';
import { ensureModules } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');

/**
 * @typedef {object} Program
 * @property {Record<string, string>} entries source by name of the built file; several entries share common chunks
 * @property {'esm' | 'cjs'} format
 * @property {string[]} [ownFile] sources that are loaded from their own built file at run time, when needed
 *
 * @typedef {{ ifStale: boolean, test: boolean, out: string, devServer?: string | undefined }} BuildOptions
 */

/**
 * A sandboxed preload and the files of a single executable must be CommonJS.
 * @type {Program[]}
 */
const programs = [
  { entries: { main: 'electron/main.ts' }, format: 'esm' },
  { entries: { preload: 'electron/preload.ts' }, format: 'cjs' },
  { entries: { keychain: 'electron/keychain.ts' }, format: 'cjs' },
  { entries: { bridge: 'electron/bridge.ts' }, format: 'cjs' },
  {
    entries: { keybridge: 'electron/cli.ts' },
    format: 'cjs',
    ownFile: ['electron/cli-main.ts', 'electron/keychain.ts'],
  },
  { entries: { embedded: 'electron/embedded.ts' }, format: 'cjs' },
  {
    entries: { 'cli-main': 'electron/cli-main.ts', headless: 'electron/headless.ts' },
    format: 'cjs',
    ownFile: ['electron/keychain.ts'],
  },
];
const sources = [
  'electron',
  'shared',
  'renderer',
  'package.json',
  'package-lock.json',
  'scripts/build.mjs',
  'scripts/build-plugins.mjs',
  'scripts/compiled-messages.mjs',
];
/** The folder of the source maps in each build. */
export const mapsFolder = 'source-maps';
const external = ['electron', 'keytar', ...builtinModules, /^node:/];

/**
 * Builds into `out` (default: dist). If it runs several times at once, one builds and the others wait. It builds in
 * another process, because Vite builds a different page if NODE_ENV is "test".
 * @param {Partial<BuildOptions>} options
 */
export async function buildAll({ ifStale = false, test = false, out = path.join(root, 'dist'), devServer } = {}) {
  const options = { ifStale, test, out, devServer };
  if (ifStale && (await stampOf(out)) === (await fingerprint(options))) return;
  const args = [import.meta.filename, '--out', out, ...(ifStale ? ['--if-stale'] : []), ...(test ? ['--test'] : [])];
  if (devServer !== undefined) args.push('--dev-server', devServer);
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error('The build failed.');
}

/**
 * Returns false if nothing had changed.
 * @param {BuildOptions} options
 */
async function buildHere(options) {
  const { ifStale, out, devServer } = options;
  const cache = path.join(root, '.cache');
  await mkdir(cache, { recursive: true });
  return withLock(
    path.join(cache, `build-${createHash('sha256').update(out).digest('hex').slice(0, 8)}.lock`),
    async () => {
      const stamp = await fingerprint(options);
      if (ifStale && (await stampOf(out)) === stamp) return false;
      const work = await mkdtemp(path.join(cache, 'build-'));
      try {
        await Promise.all([
          ...programs.map((program) => buildProgram(program, work, options)),
          ...(devServer === undefined ? [buildPage(path.join(work, 'renderer'))] : []),
        ]);
        await moveSourceMaps(work);
        await mkdir(out, { recursive: true });
        await replaceFiles(work, out);
        await writeFile(path.join(out, '.stamp'), stamp);
        return true;
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
  );
}

/**
 * @param {Program} program
 * @param {string} outDir
 * @param {BuildOptions} options
 */
async function buildProgram({ entries, format, ownFile = [] }, outDir, { test, devServer }) {
  const { build } = await import('vite');
  const { compiledMessages } = await import('./compiled-messages.mjs');
  const { version, devDependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const extension = format === 'esm' ? 'js' : 'cjs';
  const several = Object.keys(entries).length > 1;
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    define: {
      KEYBRIDGE_TEST_BUILD: String(test),
      ...(devServer === undefined ? {} : { KEYBRIDGE_DEV_SERVER: JSON.stringify(devServer) }),
      KEYBRIDGE_VERSION: JSON.stringify(version),
      KEYBRIDGE_ELECTRON: JSON.stringify(devDependencies.electron),
    },
    plugins: [
      compiledMessages(),
      ...(format === 'cjs' ? [filesOnDemand(ownFile)] : []),
      ...(devServer === undefined ? [] : [developmentPages()]),
    ],
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: false,
      target: 'node20',
      // A log of the built program is read with its source maps: `npm run decode-log`.
      minify: devServer === undefined,
      // Debuggers find the inline maps of a development build.
      sourcemap: devServer === undefined ? 'hidden' : 'inline',
      chunkSizeWarningLimit: 10_000,
      rolldownOptions: {
        input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, path.join(root, file)])),
        external,
        output: {
          format,
          sourcemapExcludeSources: true,
          ...(devServer === undefined ? {} : { sourcemapPathTransform: absolute }),
          entryFileNames: `[name].${extension}`,
          ...(several ? { chunkFileNames: `[name]-[hash].${extension}` } : { codeSplitting: false }),
        },
      },
    },
  });
}

/**
 * The folder of the build is removed afterwards, so paths relative to it would be wrong.
 * @param {string} source
 * @param {string} map
 */
const absolute = (source, map) => path.resolve(path.dirname(map), source);

/** @param {string} outDir */
async function buildPage(outDir) {
  const [{ build }, { default: react }, { compiledMessages }] = await Promise.all([
    import('vite'),
    import('@vitejs/plugin-react'),
    import('./compiled-messages.mjs'),
  ]);
  await build({
    root: path.join(root, 'renderer'),
    configFile: false,
    base: './',
    logLevel: 'warn',
    plugins: [compiledMessages(), react()],
    // The policy of the page allows neither inlined data: URLs nor the polyfill for module preloading.
    build: {
      outDir,
      emptyOutDir: true,
      target: 'chrome130',
      modulePreload: false,
      assetsInlineLimit: 0,
      sourcemap: 'hidden',
      rolldownOptions: { output: { sourcemapExcludeSources: true } },
    },
  });
}

/**
 * A hash of the files that the build reads and of its options.
 * @param {BuildOptions} options
 */
async function fingerprint({ test, devServer }) {
  const hash = createHash('sha256').update(`${process.version} test=${test} dev=${devServer}`);
  for (const source of sources) {
    for (const file of await filesUnder(path.join(root, source)))
      hash.update(`\n${path.relative(root, file)}\n`).update(await readFile(file));
  }
  return hash.digest('hex');
}

/**
 * @param {string} entry
 * @returns {Promise<string[]>}
 */
async function filesUnder(entry) {
  const entries = await readdir(entry, { withFileTypes: true, recursive: true }).catch((error) => {
    if (error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (!entries) return [entry];
  return entries
    .filter((one) => one.isFile())
    .map((one) => path.join(one.parentPath, one.name))
    .toSorted();
}

/** @param {string} out */
async function stampOf(out) {
  return readFile(path.join(out, '.stamp'), 'utf8').catch(() => undefined);
}

/**
 * Moves the source maps to a folder that is in no package. They are for scripts/decode-log.mjs and contain no sources.
 * @param {string} folder of the build
 */
async function moveSourceMaps(folder) {
  for (const file of await filesUnder(folder)) {
    if (!file.endsWith('.map')) continue;
    const target = path.join(folder, mapsFolder, path.relative(folder, file));
    await mkdir(path.dirname(target), { recursive: true });
    await rename(file, target);
  }
}

/**
 * Moves each new file into place, pages after the files they load, then removes the files that are no longer built.
 * @param {string} from
 * @param {string} to
 */
async function replaceFiles(from, to) {
  const fresh = (await filesUnder(from)).map((file) => path.relative(from, file));
  const pagesLast = fresh.toSorted((a, b) => Number(a.endsWith('.html')) - Number(b.endsWith('.html')));
  for (const file of pagesLast) {
    await mkdir(path.dirname(path.join(to, file)), { recursive: true });
    await rename(path.join(from, file), path.join(to, file));
  }
  const old = (await filesUnder(to)).map((file) => path.relative(to, file));
  for (const file of old) if (!fresh.includes(file)) await rm(path.join(to, file), { force: true });
}

async function runFromCommandLine() {
  process.env.NODE_ENV = 'production';
  await ensureModules();
  const started = performance.now();
  const { values } = parseArgs({
    options: {
      'if-stale': { type: 'boolean', default: false },
      test: { type: 'boolean', default: false },
      'dev-server': { type: 'string' },
      out: { type: 'string', default: path.join(root, 'dist') },
    },
  });
  const built = await buildHere({
    ifStale: values['if-stale'],
    test: values.test,
    out: path.resolve(values.out),
    devServer: values['dev-server'],
  });
  console.log(built ? `built in ${((performance.now() - started) / 1000).toFixed(1)} s` : 'up to date');
}

/**
 * Prints the error without the stack of the bundler.
 * @param {unknown} error
 */
function explain(error) {
  console.error(`The build failed:\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runFromCommandLine().catch(explain);
