import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Interrupted, waitForInterruption } from './interruption.mjs';
import { codeOf } from './lock.mjs';

const root = path.join(import.meta.dirname, '..');

/**
 * @typedef {object} Steps
 * @property {(name: string, command: string, argv: string[]) => Promise<void>} check
 * @property {(name: string, config: string, words: string[]) => Promise<void>} vitest
 * @property {() => void} nothingLeft
 */

/**
 * Runs the steps of a test run, counts their results and prints the total. They use a temporary folder, which is
 * removed however the run ends.
 * @param {(steps: Steps) => Promise<void>} work
 * @returns {Promise<number>} the exit code
 */
export async function runTests(work) {
  const place = mkdtempSync(path.join(os.tmpdir(), 'keybridge-test-'));
  const temporary = path.join(place, 'tmp');
  mkdirSync(temporary);
  const count = { passed: 0, failed: 0, skipped: 0 };
  const interruption = waitForInterruption();
  // electron-builder reads its settings with jiti, which would leave a cache in the temporary folder.
  const env = { ...process.env, TMPDIR: temporary, JITI_FS_CACHE: 'false' };
  /** @type {(name: string, command: string, argv: string[]) => Promise<boolean>} */
  const run = (name, command, argv) => runStep(name, command, argv, env, interruption.signalled);

  /**
   * A check that is not a test file counts as one test.
   * @type {Steps['check']}
   */
  async function check(name, command, argv) {
    if (await run(name, command, argv)) count.passed += 1;
    else count.failed += 1;
  }

  /** @type {Steps['vitest']} */
  async function vitest(name, config, words) {
    const report = path.join(place, `${name}.json`);
    const bin = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const argv = [
      bin,
      'run',
      '--config',
      config,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      '--passWithNoTests',
      ...words,
    ];
    const ok = await run(name, process.execPath, argv);
    let result;
    try {
      result = JSON.parse(readFileSync(report, 'utf8'));
    } catch {
      count.failed += 1;
      return;
    }
    count.passed += result.numPassedTests;
    count.failed += result.numFailedTests;
    count.skipped += result.numPendingTests + result.numTodoTests;
    // A file that cannot be loaded, or an error outside a test, fails the run without a failed test.
    if (!ok && result.numFailedTests === 0) count.failed += 1;
  }

  /** Files that tests leave behind count as one failed test. */
  function nothingLeft() {
    const left = readdirSync(temporary);
    if (left.length === 0) return;
    count.failed += 1;
    console.log(`[test] left behind in the temporary folder: ${left.join(' ')}`);
  }

  try {
    await work({ check, vitest, nothingLeft });
  } finally {
    interruption.stopWaiting();
    rmSync(place, { recursive: true, force: true, maxRetries: 5 });
  }
  console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  return count.failed > 0 || count.passed === 0 ? 1 : 0;
}

/**
 * Runs a program in its own process group, which is ended as a whole if this process is interrupted.
 * @param {string} name
 * @param {string} command
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} env
 * @param {Promise<number>} interruption
 * @returns {Promise<boolean>} whether it succeeded
 */
async function runStep(name, command, argv, env, interruption) {
  const started = Date.now();
  const child = spawn(command, argv, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: process.platform !== 'win32',
    env,
  });
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  const first = await Promise.race([ended, interruption]);
  if (typeof first === 'number') {
    await endGroup(child, ended);
    throw new Interrupted(name, first);
  }
  const { code, signal } = first;
  const ok = code === 0;
  console.log(
    `[test] ${name}: ${ok ? 'ok' : `failed (${code ?? signal})`} in ${((Date.now() - started) / 1000).toFixed(1)} s`,
  );
  return ok;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {Promise<unknown>} ended
 */
async function endGroup(child, ended) {
  const { pid } = child;
  if (pid === undefined) return;
  const kill = (/** @type {NodeJS.Signals} */ signal) =>
    process.platform === 'win32' ? child.kill(signal) : process.kill(-pid, signal);
  try {
    kill('SIGTERM');
    await Promise.race([ended, pause(3_000, undefined, { ref: false })]);
    // For members of the group that ignored the first signal.
    kill('SIGKILL');
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}
