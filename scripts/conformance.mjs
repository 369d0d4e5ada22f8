// Judges the built bridge with the official MCP conformance suite: `npm run conformance`. test/conformance/README.md
// says how to read it.
//   npm run conformance                     all 70 runs
//   npm run conformance -- scope dpop       only runs whose name has one of the words
//   npm run conformance -- --keep FOLDER    what the suite saved of each run
// Ends with 1 when a run fails that test/conformance/baseline.json does not list, or when a listed one passes.
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { allRuns, runsAlone } from '../test/conformance/scenarios.mjs';
import { runScenario } from '../test/conformance/run-scenario.mjs';
import { ensureSuite } from '../test/conformance/suite.mjs';
import { buildAll } from './build.mjs';
import { waitForInterruption } from './interruption.mjs';
import { ensureModules, runCommand, SetupNeeded } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');
const baselineFile = path.join(root, 'test', 'conformance', 'baseline.json');

/**
 * @typedef {import('../test/conformance/scenarios.mjs').Run} Run
 * @typedef {import('../test/conformance/run-scenario.mjs').Verdict} Verdict
 */

/** More at a time, and the machine's load decides about timing. */
const atOnce = 2;

const { words, keep, dist } = readArguments();
const built = dist ?? path.join(root, 'dist');

await runCommand(async () => {
  await ensureModules();
  const interruption = waitForInterruption();
  // What runs then is ended by 'exit' listeners.
  void interruption.came.then((code) => process.exit(code));
  try {
    const suite = await ensureSuite({ log: console.error });
    if (!dist) await buildAll({ ifStale: true });
    if (!existsSync(path.join(built, 'keybridge.cjs'))) throw new SetupNeeded(`There is no build in ${built}.`);
    return await judge(suite);
  } finally {
    interruption.stopWaiting();
  }
});

/**
 * Runs what was chosen; gives the exit code.
 * @param {import('../test/conformance/suite.mjs').Suite} suite
 */
async function judge(suite) {
  const chosen = allRuns.filter(({ id }) => words.length === 0 || words.some((word) => id.includes(word)));
  const results = keep ?? (await mkdtemp(path.join(os.tmpdir(), 'keybridge-conformance-results-')));
  const remove = () => rmSync(results, { recursive: true, force: true, maxRetries: 5 });
  if (!keep) process.once('exit', remove);
  await mkdir(results, { recursive: true });
  const verdicts = await inParallel(chosen, (run) => runScenario(run, { suite, dist: built, results }));
  return report(chosen, verdicts, JSON.parse(await readFile(baselineFile, 'utf8')));
}

function readArguments() {
  const { values, positionals } = parseArgs({
    options: { keep: { type: 'string' }, dist: { type: 'string' } },
    allowPositionals: true,
  });
  return {
    words: positionals,
    keep: values.keep === undefined ? undefined : path.resolve(values.keep),
    dist: values.dist === undefined ? undefined : path.resolve(values.dist),
  };
}

/**
 * Returns the verdicts in the order of `runs`.
 * @param {Run[]} runs
 * @param {(run: Run) => Promise<Verdict>} task
 */
async function inParallel(runs, task) {
  /** @type {Verdict[]} */
  const verdicts = [];
  /** @param {[number, Run][]} waiting */
  const worker = async (waiting) => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [at, run] = next;
      const verdict = await task(run);
      verdicts[at] = verdict;
      console.error(`${verdict.passed ? 'pass' : 'FAIL'}  ${run.id}  ${(verdict.ms / 1000).toFixed(1)} s`);
    }
  };
  const alone = [...runs.entries()].filter(([, { scenario }]) => runsAlone.has(scenario));
  const together = [...runs.entries()].filter(([, { scenario }]) => !runsAlone.has(scenario));
  await Promise.all(Array.from({ length: atOnce }, () => worker(together)));
  await worker(alone);
  return verdicts;
}

/**
 * The table, what changed against the baseline, and the last line. Returns the exit code.
 * @param {Run[]} runs
 * @param {Verdict[]} verdicts
 * @param {Record<string, unknown>} expected baseline.json
 */
function report(runs, verdicts, expected) {
  /** @type {Map<string, string>} */
  const failed = new Map();
  for (const [at, { id }] of runs.entries()) {
    const verdict = verdicts[at];
    if (verdict && !verdict.passed) failed.set(id, verdict.reason);
  }
  for (const set of new Set(runs.map((run) => run.set))) {
    const members = runs.filter((run) => run.set === set);
    const passed = members.filter(({ id }) => !failed.has(id)).length;
    console.log(`\n${set}: ${passed} of ${members.length}`);
    for (const { id } of members)
      console.log(`  ${(failed.has(id) ? 'FAIL' : 'pass').padEnd(5)}${id.padEnd(58)}${failed.get(id) ?? ''}`.trimEnd());
  }
  const chosen = new Set(runs.map(({ id }) => id));
  const unknown = Object.keys(expected).filter((id) => !allRuns.some((run) => run.id === id));
  const surprises = [...failed.keys()].filter((id) => !Object.hasOwn(expected, id));
  const better = Object.keys(expected).filter((id) => chosen.has(id) && !failed.has(id));
  console.log('');
  for (const id of surprises) console.log(`NEW FAILURE: ${id}: ${failed.get(id)}`);
  for (const id of better) console.log(`PASSES NOW: ${id}. Take it off test/conformance/baseline.json.`);
  for (const id of unknown) console.log(`NO SUCH RUN: ${id} in test/conformance/baseline.json.`);
  console.log(`${runs.length - failed.size} passed, ${failed.size} failed`);
  return surprises.length + better.length + unknown.length > 0 || runs.length === 0 ? 1 : 0;
}
