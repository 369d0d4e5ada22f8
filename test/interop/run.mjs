import { ensureNodePeers, placePrograms } from './cache.mjs';
import { cases } from './cases.mjs';
import { mainJob } from './job.mjs';
import { Missing } from './missing.mjs';
import { ensurePythonPeer } from './python.mjs';

/** The longest case waits 12 s for a token to expire; the rest is a margin for a busy machine. */
const jobLimitMs = 180_000;

/** The cases mostly wait, for an expiry or for a server to start. */
const atOnce = 2;

/**
 * Runs each case whose name contains one of the words, or all, two at a time. Prints a line for each, and the totals.
 * @returns {Promise<number>} exit code
 */
export async function runInterop({ words, program, log }) {
  // A download that failed for one case is not tried again for the next.
  const fetched = {
    npm: once(async () => placePrograms(await ensureNodePeers(console.error))),
    python: once(() => ensurePythonPeer(console.error)),
  };
  const sums = { pass: 0, FAIL: 0, skip: 0 };
  const waiting = cases.filter(({ id }) => words.length === 0 || words.some((word) => id.includes(word)));
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const began = Date.now();
      const { kind, text } =
        next.onlyNamed && words.length === 0
          ? { kind: 'skip', text: next.onlyNamed }
          : await runCase(next, { program, fetched });
      sums[kind] += 1;
      log(`${kind}  ${next.id}  ${((Date.now() - began) / 1000).toFixed(1)} s  ${text}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  log(`${sums.pass} passed, ${sums.FAIL} failed, ${sums.skip} skipped`);
  return sums.FAIL > 0 || sums.pass + sums.skip === 0 ? 1 : 0;
}

async function runCase({ start }, { program, fetched }) {
  const closing = [];
  try {
    const jobs = [await start({ keep: (close) => closing.unshift(close), log: console.error, fetched })].flat();
    const seen = [];
    for (const peer of jobs) seen.push(await within(jobLimitMs, mainJob(peer, program)));
    return { kind: 'pass', text: seen.join('; ') };
  } catch (error) {
    if (error instanceof Missing) return { kind: 'skip', text: error.message };
    return { kind: 'FAIL', text: process.env.KEYBRIDGE_INTEROP_STACKS ? error.stack : error.message };
  } finally {
    for (const close of closing) await close();
  }
}

async function within(limitMs, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${limitMs / 1_000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function once(work) {
  let result;
  return () => (result ??= work());
}
