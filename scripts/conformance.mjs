// Tests the built bridge with the official MCP conformance suite: `npm run conformance`. test/conformance/README.md
// explains the output.
//   npm run conformance                     all 70 runs
//   npm run conformance -- scope dpop       only runs whose name has one of the words
//   npm run conformance -- --keep FOLDER    keeps what the suite saved for each run
// Exits with 1 if a run fails that is not in test/conformance/baseline.json, or if one passes that is.
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

/** With more runs at a time, the load of the machine would affect their timing. */
const parallelRuns = 2;

const { words, keep, dist } = readArguments();
const built = dist ?? path.join(root, 'dist');

await runCommand(async () => {
  await ensureModules();
  const interruption = waitForInterruption();
  // Listeners of 'exit' end the running programs.
  void interruption.signalled.then((code) => process.exit(code));
  try {
    const suite = await ensureSuite({ log: console.error });
    if (!dist) await buildAll({ ifStale: true });
    if (!existsSync(path.join(built, 'keybridge.cjs'))) throw new SetupNeeded(`There is no build in ${built}.`);
    return await runSuite(suite);
  } finally {
    interruption.stopWaiting();
  }
});

/**
 * Runs the chosen scenarios and returns the exit code.
 * @param {import('../test/conformance/suite.mjs').Suite} suite
 */
async function runSuite(suite) {
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
  await Promise.all(Array.from({ length: parallelRuns }, () => worker(together)));
  await worker(alone);
  return verdicts;
}

/**
 * Prints the table, the differences from the baseline, and the summary. Returns the exit code.
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
  const newFailures = [...failed.keys()].filter((id) => !Object.hasOwn(expected, id));
  const fixed = Object.keys(expected).filter((id) => chosen.has(id) && !failed.has(id));
  console.log('');
  for (const id of newFailures) console.log(`NEW FAILURE: ${id}: ${failed.get(id)}`);
  for (const id of fixed) console.log(`PASSES NOW: ${id}. Remove it from test/conformance/baseline.json.`);
  for (const id of unknown) console.log(`NO SUCH RUN: ${id} in test/conformance/baseline.json.`);
  console.log(`${runs.length - failed.size} passed, ${failed.size} failed`);
  return newFailures.length + fixed.length + unknown.length > 0 || runs.length === 0 ? 1 : 0;
}
