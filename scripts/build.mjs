// Builds what runs: `node scripts/build.mjs [--if-stale] [--test] [--out FOLDER] [--dev-server URL]`.
// --test marks a build that lets debuggers in (Playwright); it is never packaged for users.
// --dev-server makes a build without pages of its own, for `npm run dev`: its window shows those of that server.
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
 * @property {Record<string, string>} entries source by name of the result; several share their common code
 * @property {'esm' | 'cjs'} format
 * @property {boolean} [minify]
 * @property {string[]} [ownFile] sources that are loaded at run time from the file beside, only when needed
 *
 * @typedef {{ ifStale: boolean, test: boolean, out: string, devServer?: string | undefined }} BuildOptions
 */

/**
 * `main` is ESM; a sandboxed preload and what a single executable loads must be CommonJS.
 * @type {Program[]}
 */
const programs = [
  { entries: { main: 'electron/main.ts' }, format: 'esm' },
  { entries: { preload: 'electron/preload.ts' }, format: 'cjs' },
  { entries: { keychain: 'electron/keychain.ts' }, format: 'cjs' },
  { entries: { bridge: 'electron/bridge.ts' }, format: 'cjs', minify: true },
  {
    entries: { keybridge: 'electron/cli.ts' },
    format: 'cjs',
    minify: true,
    ownFile: ['electron/cli-main.ts', 'electron/keychain.ts'],
  },
  { entries: { embedded: 'electron/embedded.ts' }, format: 'cjs', minify: true },
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
/** In each build: its source maps. */
export const mapsFolder = 'source-maps';
const external = ['electron', 'keytar', ...builtinModules, /^node:/];

/**
 * Builds into `out` (default: dist). Safe to run several times at once: one builds, the others wait.
 * In a process of its own, because Vite makes another page where NODE_ENV says "test".
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
 * True when it built, false when nothing had changed.
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
        await setMapsAside(work);
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
async function buildProgram({ entries, format, minify = false, ownFile = [] }, outDir, { test, devServer }) {
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
      minify,
      // Inside the files of a development build, for debuggers.
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
 * The build's folder is gone afterwards, and paths from it with it.
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
    // No inlined data: URLs for fonts or images, no polyfill for old browsers: the page's policy allows neither.
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
 * A hash of everything that the build reads, and of how it was called.
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
  const found = await readdir(entry, { withFileTypes: true, recursive: true }).catch((error) => {
    if (error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (!found) return [entry];
  return found
    .filter((one) => one.isFile())
    .map((one) => path.join(one.parentPath, one.name))
    .toSorted();
}

/** @param {string} out */
async function stampOf(out) {
  return readFile(path.join(out, '.stamp'), 'utf8').catch(() => undefined);
}

/**
 * Source maps lie in a folder of their own, which no package takes along. They name places in the sources for
 * scripts/decode-log.mjs, without the sources' text.
 * @param {string} folder of the build
 */
async function setMapsAside(folder) {
  for (const file of await filesUnder(folder)) {
    if (!file.endsWith('.map')) continue;
    const aside = path.join(folder, mapsFolder, path.relative(folder, file));
    await mkdir(path.dirname(aside), { recursive: true });
    await rename(file, aside);
  }
}

/**
 * Puts each new file in place by a rename, pages after what they load, and then removes what is no longer built.
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
 * What went wrong, without the bundler's inside.
 * @param {unknown} error
 */
function explain(error) {
  console.error(`The build failed:\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runFromCommandLine().catch(explain);
