// npm run dev: runs the app during development. The window shows changes in renderer/ without a reload of the app;
// changes in electron/ and shared/ restart it. Arguments go to the app. The data folder is .cache/dev/data unless
// KEYBRIDGE_DATA_DIR names another one.
import { once } from 'node:events';
import { cp, mkdir, realpath, rm } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { needDisplay, startApp } from './app-process.mjs';
import { buildAll } from './build.mjs';
import { ensureElectron } from './electron-runtime.mjs';
import { waitForInterruption } from './interruption.mjs';
import { runCommand, setUp } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');
/** Electron starts the app from this folder, with package.json, dist/ and build/ as in a checkout. */
const work = path.join(root, '.cache', 'dev');
const programFolders = ['electron', 'shared'].map((name) => path.join(root, name) + path.sep);

await runCommand(async () => {
  await setUp({ electron: true });
  needDisplay();
  const electron = await ensureElectron();
  const interruption = waitForInterruption();
  const pages = await startPages();
  try {
    await prepareFolder();
    const build = () => buildAll({ ifStale: true, out: path.join(work, 'dist'), devServer: pages.address });
    await build();
    const app = await runWithRestarts(electron, build);
    pages.watcher.add(programFolders);
    pages.watcher.on('all', (_event, file) => {
      if (programFolders.some((folder) => file.startsWith(folder))) app.changed();
    });
    const first = await Promise.race([app.ended, interruption.signalled]);
    await app.close();
    return first;
  } finally {
    interruption.stopWaiting();
    await pages.close();
  }
});

/** Starts Vite's server for renderer/. Only the app calls it; the window loads its pages from app://keybridge. */
async function startPages() {
  const [{ createServer }, { default: react }, { compiledMessages }] = await Promise.all([
    import('vite'),
    import('@vitejs/plugin-react'),
    import('./compiled-messages.mjs'),
  ]);
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const vite = await createServer({
    root: path.join(root, 'renderer'),
    configFile: false,
    publicDir: false,
    cacheDir: path.join(work, 'vite'),
    plugins: [compiledMessages(), react(), withoutPolicy()],
    html: { cspNonce: 'KEYBRIDGE_NONCE' },
    server: {
      // If Vite had its own server, it would end this process on SIGTERM before the app has ended.
      middlewareMode: true,
      hmr: { server, protocol: 'ws', host: '127.0.0.1', clientPort: port },
      fs: { allow: [root, await realpath(path.join(root, 'node_modules'))] },
    },
  });
  server.on('request', vite.middlewares);
  return {
    watcher: vite.watcher,
    address: `http://127.0.0.1:${port}`,
    async close() {
      await vite.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * Removes the policy from index.html, which has no nonce. The app sends another policy with each page.
 * @returns {import('vite').Plugin}
 */
function withoutPolicy() {
  return {
    name: 'without-policy',
    transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ''),
  };
}

async function prepareFolder() {
  await mkdir(path.join(work, 'data'), { recursive: true, mode: 0o700 });
  await cp(path.join(root, 'package.json'), path.join(work, 'package.json'));
  await rm(path.join(work, 'build'), { recursive: true, force: true });
  await cp(path.join(root, 'build'), path.join(work, 'build'), { recursive: true });
}

/**
 * Starts the app, and starts it again after each change. If a build fails, the running app is left alone.
 * @param {import('./electron-runtime.mjs').ElectronRuntime} electron
 * @param {() => Promise<void>} build
 */
async function runWithRestarts(electron, build) {
  /** @type {(code: number) => void} */
  let end = () => {};
  /** @type {Promise<number>} */
  const ended = new Promise((resolve) => (end = resolve));
  const env = { KEYBRIDGE_DATA_DIR: process.env.KEYBRIDGE_DATA_DIR ?? path.join(work, 'data') };
  /** @type {WeakSet<import('node:child_process').ChildProcess>} */
  const stopped = new WeakSet();
  let app = await start();
  let dirty = false;
  /** @type {Promise<void> | undefined} */
  let replacing;
  let closing = false;

  async function start() {
    const started = await startApp(electron, [work, ...process.argv.slice(2)], env);
    started.on('exit', (code) => {
      if (!stopped.has(started)) end(code ?? 1);
    });
    console.log(`[dev] started (process ${started.pid})`);
    return started;
  }

  async function stop() {
    stopped.add(app);
    if (app.exitCode !== null || app.signalCode !== null) return;
    app.kill('SIGTERM');
    await once(app, 'exit');
  }

  async function replace() {
    try {
      await build();
    } catch (error) {
      console.error(`[dev] ${error instanceof Error ? error.message : String(error)} The running app stays.`);
      return;
    }
    // After another change during the build, the app is not restarted before the next build.
    if (dirty || closing) return;
    await stop();
    app = await start();
  }

  async function replaceUntilClean() {
    while (dirty) {
      dirty = false;
      await replace();
    }
    replacing = undefined;
  }

  return {
    ended,
    changed() {
      if (closing) return;
      dirty = true;
      replacing ??= replaceUntilClean();
    },
    async close() {
      closing = true;
      await replacing;
      await stop();
    },
  };
}
