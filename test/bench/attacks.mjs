// What hostile answers cost: memory of the broker at its highest, time until the call has its answer, and what a host
// of another server waits meanwhile.
import { readFileSync } from 'node:fs';
import { echo, quantile } from './measure.mjs';

/**
 * @typedef {import('./measure.mjs').Client} Client
 * @typedef {{ pid: number, well: Client, hostile: Client, close: () => Promise<void> }} Broker
 * @typedef {{ label: string, seconds: number, memory: number | undefined, p99: number, worst: number }} AttackRow
 */

/**
 * Each is a name of a tool of hostile-server.mjs, called so many times at once.
 * @type {[string, number, string][]}
 */
const attacks = [
  ['nothing', 0, 'nothing (one second)'],
  ['empty-lines', 1, '99 MB of empty `data:` lines in one event'],
  ['small-chunks', 1, '48 MB of 1-byte chunks'],
  ['empty-lines', 2, 'two of the first at once'],
  ['small-chunks', 2, 'two of the second at once'],
  ['empty-events', 1, '48 MB of events that are no messages'],
  ['dense-json', 1, '15 MB of `[],`'],
  ['line-feeds', 1, '15 MB of line feeds between values'],
  ['long-text', 1, '15 MB of text in one string'],
  ['many-headers', 1, '`tools/list` of 8 MB, every argument a header'],
];

/** @param {number} pid */
const peak = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
/** @param {number} pid */
const now = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * `start`: gives `{ pid, well, hostile, close }`: a new broker, a client of a server that is well and one of the
 * hostile one. Linux only: the memory stands in /proc.
 * @param {() => Promise<Broker>} start
 */
export async function measureAttacks(start) {
  /** @type {AttackRow[]} */
  const rows = [];
  for (const [name, times, label] of attacks) {
    const { pid, well, hostile, close } = await start();
    await Promise.all([well.ready, hostile.ready]);
    for (let i = 0; i < 300; i += 1) await well.request(echo('warm'));
    const before = now(pid);
    const began = performance.now();
    const method =
      name === 'many-headers'
        ? { method: 'tools/list', params: {} }
        : { method: 'tools/call', params: { name, arguments: {} } };
    const calls = Array.from({ length: times }, (_, n) =>
      hostile.request({ jsonrpc: /** @type {const} */ ('2.0'), id: 1_000_000 + n, ...method }),
    );
    const all = Promise.allSettled(times === 0 ? [pause(1_000)] : calls).then(() => 'over');
    const waits = [];
    for (let state = 'running'; state === 'running';) {
      const asked = performance.now();
      // A broker that ended answers nobody: then that is the end of it too.
      state = await Promise.race([
        well.request(echo('meanwhile')).then(
          () => 'running',
          () => 'over',
        ),
        all.then(() => pause(2_000)).then(() => 'over'),
      ]);
      waits.push(performance.now() - asked);
      if (state === 'running') state = await Promise.race([all, Promise.resolve('running')]);
    }
    const seconds = (performance.now() - began) / 1000;
    let memory;
    try {
      memory = peak(pid) - before;
    } catch {
      // The broker has ended.
    }
    waits.sort((a, b) => a - b);
    rows.push({ label, seconds, memory, p99: quantile(waits, 0.99), worst: quantile(waits, 1) });
    await close();
  }
  return rows;
}

/** @param {AttackRow[]} rows */
export function attackTable(rows) {
  const f = (/** @type {number | undefined} */ x) =>
    x === undefined ? 'the broker ended' : x < 10 ? x.toFixed(1) : x.toFixed(0);
  return [
    '| one call whose answer is | until it is answered, s | memory of the broker above its own, at its highest, MB | another server’s calls meanwhile: p99, ms | the slowest, ms |',
    '|---|---|---|---|---|',
    ...rows.map(
      ({ label, seconds, memory, p99, worst }) =>
        `| ${label} | ${f(seconds)} | ${f(memory)} | ${f(p99)} | ${f(worst)} |`,
    ),
  ].join('\n');
}
