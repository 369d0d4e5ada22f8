// npm start: the app for daily use, from a checkout. Arguments go to the app (--hidden: without a window).
import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { buildAll } from './build.mjs';
import { ensureElectron, hasUserNamespaces } from './electron-runtime.mjs';
import { runCommand, setUp, SetupNeeded } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');

await runCommand(async () => {
  await setUp({ electron: true });
  const electron = await ensureElectron();
  await buildAll({ ifStale: true });
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    throw new SetupNeeded('There is no display here. Without one, run the broker: node dist/keybridge.cjs serve');
  }
  if (electron.kind === 'development') {
    console.error(
      `This is a development runtime (Electron ${electron.version}), not the one that ships: good for trying, not for daily use.`,
    );
  }
  return runApp(electron.executable, [...(await sandboxSwitch(electron.dist)), root, ...process.argv.slice(2)]);
});

/**
 * Chromium does not run its sandbox as root.
 * @param {string} dist
 */
async function sandboxSwitch(dist) {
  if (process.getuid?.() === 0) {
    console.error(
      'Running as root, therefore without the sandbox of the window. Use an ordinary account for daily use.',
    );
    return ['--no-sandbox'];
  }
  if (process.platform === 'linux' && !hasUserNamespaces()) await needSandboxHelper(path.join(dist, 'chrome-sandbox'));
  return [];
}

/**
 * Where there are no user namespaces, Chromium ends at once unless this program of its own has root's rights.
 * @param {string} helper
 */
async function needSandboxHelper(helper) {
  const { uid, mode } = await stat(helper);
  if (uid === 0 && (mode & 0o4755) === 0o4755) return;
  throw new SetupNeeded(`This system gives ordinary users no user namespaces, which the window's sandbox needs. Run this line once, then try again:
  sudo chown root "${helper}" && sudo chmod 4755 "${helper}"`);
}

/**
 * The app's exit code. Interrupting this ends the app in good order.
 * @param {string} executable
 * @param {string[]} args
 * @returns {Promise<number>}
 */
function runApp(executable, args) {
  const child = spawn(executable, args, {
    stdio: 'inherit',
    env: { ...process.env, KEYBRIDGE_NODE: process.execPath },
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
