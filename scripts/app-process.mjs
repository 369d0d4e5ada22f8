// Starts the app from a checkout, for start.mjs and dev.mjs.
import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { hasUserNamespaces } from './sandbox.mjs';
import { SetupNeeded } from './setup.mjs';

/** Throws SetupNeeded if there is no display. */
export function needDisplay() {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY)
    throw new SetupNeeded('There is no display here. Without one, run the broker: node dist/keybridge.cjs serve');
}

/**
 * @param {import('./electron-runtime.mjs').ElectronRuntime} electron
 * @param {string[]} args the app's folder, then its own arguments
 * @param {NodeJS.ProcessEnv} env in addition to this process's own
 */
export async function startApp(electron, args, env = {}) {
  return spawn(electron.executable, [...(await sandboxSwitch(electron.dist)), ...args], {
    stdio: 'inherit',
    env: { ...process.env, KEYBRIDGE_NODE: process.execPath, ...env },
  });
}

/**
 * Chromium does not run its sandbox as root.
 * @param {string} dist
 */
async function sandboxSwitch(dist) {
  if (process.getuid?.() === 0) {
    console.error('Running as root, so the window has no sandbox. Use an ordinary account for daily use.');
    return ['--no-sandbox'];
  }
  if (process.platform === 'linux' && !hasUserNamespaces()) await needSandboxHelper(path.join(dist, 'chrome-sandbox'));
  return [];
}

/**
 * Without user namespaces Chromium exits at once unless its sandbox helper is setuid root.
 * @param {string} helper
 */
async function needSandboxHelper(helper) {
  const { uid, mode } = await stat(helper);
  if (uid === 0 && (mode & 0o4755) === 0o4755) return;
  throw new SetupNeeded(
    "This system gives ordinary users no user namespaces, which the window's sandbox needs. " +
      `Run this line once, then try again:\n  sudo chown root "${helper}" && sudo chmod 4755 "${helper}"`,
  );
}
