import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Above the host's own limit, and the suite's 30 s. */
const limitMs = 45_000;

/** @typedef {{ passed: boolean, reason: string, ms: number }} Verdict */

/**
 * Runs one scenario in its own suite process.
 * @param {import('./scenarios.mjs').Run} run
 * @param {{ suite: import('./suite.mjs').Suite, dist: string, results: string }} places
 * @returns {Promise<Verdict>}
 */
export async function runScenario({ id, scenario, wire }, { suite, dist, results }) {
  const folder = path.join(results, id.replaceAll('/', '-'));
  await mkdir(folder, { recursive: true });
  const started = Date.now();
  const args = [
    suite.program,
    'client',
    '--command',
    'exec "$KEYBRIDGE_CONFORMANCE_NODE" "$KEYBRIDGE_CONFORMANCE_CLIENT"',
  ];
  args.push('--scenario', scenario, '--spec-version', wire, '--force', '--timeout', '30000', '--output-dir', folder);
  const env = {
    ...process.env,
    KEYBRIDGE_CONFORMANCE_NODE: process.execPath,
    KEYBRIDGE_CONFORMANCE_CLIENT: path.join(import.meta.dirname, 'client.mjs'),
    KEYBRIDGE_CONFORMANCE_DIST: dist,
    KEYBRIDGE_CONFORMANCE_MODULES: suite.modules,
  };
  const { code, text } = await run(suite.node, args, env);
  await writeFile(path.join(folder, 'suite.txt'), text);
  const reason = await whatIsWrong(folder, code);
  return { passed: reason === undefined, reason: reason ?? '', ms: Date.now() - started };
}

/**
 * Applies the strict rule: suite and host succeed, and no check reports FAILURE or WARNING.
 * @param {string} folder
 * @param {number | null} code of the suite
 */
async function whatIsWrong(folder, code) {
  const checks = await savedChecks(folder);
  if (!checks) return 'the suite saved no checks';
  const bad = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
  const stderr = await saved(folder, 'stderr.txt');
  const hostFailed = /^\[host\] (?:failed|not done).*/m.exec(stderr)?.[0];
  if (bad.length > 0)
    return [...new Set(bad.map(({ id, status }) => `${id}${status === 'WARNING' ? ' (warning)' : ''}`))].join(', ');
  if (hostFailed !== undefined) return hostFailed.slice(0, 300);
  if (!stderr.includes('[host] done')) return 'the host did not finish';
  return code === 0 ? undefined : `the suite ended with ${code}`;
}

/**
 * @param {string} folder
 * @returns {Promise<{ id: string, status: string }[] | undefined>}
 */
async function savedChecks(folder) {
  const text = await saved(folder, 'checks.json');
  const checks = text === '' ? [] : JSON.parse(text);
  return checks.length > 0 ? checks : undefined;
}

/**
 * The suite creates its own folder in ours.
 * @param {string} folder
 * @param {string} name
 */
async function saved(folder, name) {
  const entries = await readdir(folder, { recursive: true });
  const found = entries.find((entry) => path.basename(entry) === name);
  return found === undefined ? '' : readFile(path.join(folder, found), 'utf8');
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ code: number | null, text: string }>}
 */
function run(command, args, env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    // If this program is interrupted, the host ends what it started.
    const interrupted = () => signalGroup(child, 'SIGTERM');
    process.prependOnceListener('exit', interrupted);
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    // The whole process group: a remaining bridge would keep the suite's servers open.
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), limitMs);
    child.once('close', (code) => {
      clearTimeout(timer);
      process.off('exit', interrupted);
      resolve({ code, text });
    });
  });
}

/**
 * @param {{ pid?: number | undefined }} child
 * @param {NodeJS.Signals} name
 */
function signalGroup({ pid }, name) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // It has exited.
  }
}
