import { ensureNodePeers } from './cache.mjs';
import { cases } from './cases.mjs';
import { mainJob } from './job.mjs';
import { Missing } from './missing.mjs';
import { ensurePythonPeer } from './python.mjs';

/** The longest waits 20 s for the end of a token; the rest is for a busy machine. */
const jobLimitMs = 180_000;

/**
 * Each case that has one of the words in its name (no words: all), one after the other; prints a line for each, and the sum.
 * @returns {Promise<number>} exit code
 */
export async function runInterop({ words, program, log }) {
  // What could not be fetched for one case is not tried again for the next.
  const fetched = { npm: once(() => ensureNodePeers(console.error)), python: once(() => ensurePythonPeer(console.error)) };
  const sums = { passed: 0, failed: 0, skipped: 0 };
  for (const { id, start, onlyNamed } of cases.filter((one) => words.length === 0 || words.some((word) => one.id.includes(word)))) {
    const closing = [];
    const began = Date.now();
    const say = (kind, text) => {
      sums[kind] += 1;
      log(`${{ passed: 'pass', failed: 'FAIL', skipped: 'skip' }[kind]}  ${id}  ${((Date.now() - began) / 1000).toFixed(1)} s  ${text}`);
    };
    try {
      if (onlyNamed && words.length === 0) throw new Missing(onlyNamed);
      const jobs = [await start({ keep: (close) => closing.unshift(close), log: console.error, fetched })].flat();
      const seen = [];
      for (const peer of jobs) seen.push(await within(jobLimitMs, mainJob(peer, program)));
      say('passed', seen.join('; '));
    } catch (error) {
      if (error instanceof Missing) say('skipped', error.message);
      else say('failed', process.env.KEYBRIDGE_INTEROP_STACKS ? error.stack : error.message);
    } finally {
      for (const close of closing) await close();
    }
  }
  log(`${sums.passed} passed, ${sums.failed} failed, ${sums.skipped} skipped`);
  return sums.failed > 0 || sums.passed + sums.skipped === 0 ? 1 : 0;
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
