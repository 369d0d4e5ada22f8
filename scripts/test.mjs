// Runs every test: `npm test`. Does its own set-up, so that it works on a machine that has only Node and npm.
//   npm test                     everything
//   npm test -- --fast           no desktop tests (no display, no Electron)
//   npm test -- relay tokens     only test files whose name has one of the words
// The last line is `N passed, N failed` (and skipped ones), whatever the steps were.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensureElectron } from './electron-runtime.mjs';
import { ensureModules, ensureSystem, runCommand } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');
const args = process.argv.slice(2);
const fast = args.includes('--fast');
const words = args.filter((arg) => !arg.startsWith('--'));
const reports = mkdtempSync(path.join(os.tmpdir(), 'keybridge-test-'));
const count = { passed: 0, failed: 0, skipped: 0 };

const run = (name, command, argv, env = {}) =>
  new Promise((resolve) => {
    const started = Date.now();
    const child = spawn(command, argv, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
    child.on('exit', (code, signal) => {
      const ok = code === 0;
      console.log(`[test] ${name}: ${ok ? 'ok' : `failed (${code ?? signal})`} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
      resolve(ok);
    });
  });

/** A check that is not a test file counts as one test. */
async function check(name, command, argv) {
  if (await run(name, command, argv)) count.passed += 1;
  else count.failed += 1;
}

async function vitest(name, config) {
  const report = path.join(reports, `${name}.json`);
  const bin = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const argv = [bin, 'run', '--config', config, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, '--passWithNoTests', ...words];
  const ok = await run(name, process.execPath, argv, { KEYBRIDGE_DESKTOP_TEST: name === 'desktop' ? '1' : '' });
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
  // A file that could not even be loaded, or an error outside a test, fails the run without a failed test.
  if (!ok && result.numFailedTests === 0) count.failed += 1;
}

await runCommand(async () => {
  try {
    await ensureModules();
    await ensureSystem({ electron: !fast, display: !fast, keyring: true, tray: !fast });
    if (!fast) await ensureElectron();
    await check('build', process.execPath, ['scripts/build.mjs', '--test', '--if-stale']);
    if (words.length === 0) {
      await check('types', process.execPath, ['scripts/typecheck.mjs']);
      await check('lint', process.execPath, ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings']);
    }
    await vitest('node', 'vitest.config.ts');
    if (!fast) await vitest('desktop', 'vitest.desktop.config.ts');
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
  console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  return count.failed > 0 || count.passed === 0 ? 1 : 0;
});
