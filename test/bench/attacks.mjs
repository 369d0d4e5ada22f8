// Measures the cost of hostile responses: the peak memory of the broker, the time until the call is answered, and the
// latency of calls to another server in the meantime.
import { readFileSync } from 'node:fs';
import { echo, quantile } from './measure.mjs';

/**
 * @typedef {import('./measure.mjs').Client} Client
 * @typedef {{ pid: number, well: Client, hostile: Client, close: () => Promise<void> }} Broker
 * @typedef {{ label: string, seconds: number, memory: number | undefined, p99: number, worst: number }} AttackRow
 */

/**
 * The tool of hostile-server.mjs, how many calls run at once, and the label in the table.
 * @type {[string, number, string][]}
 */
const attacks = [
  ['nothing', 0, 'nothing (one second)'],
  ['empty-lines', 1, '99 MB of empty `data:` lines in one event'],
  ['small-chunks', 1, '48 MB of 1-byte chunks'],
  ['empty-lines', 2, 'two of the first at once'],
  ['small-chunks', 2, 'two of the second at once'],
  ['empty-events', 1, '48 MB of events without a message'],
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
 * Measures each attack. Linux only, because it reads the memory from /proc.
 * @param {() => Promise<Broker>} start starts a broker with a client of a server that behaves well and one of the
 *   hostile
 *   server
 */
export async function measureAttacks(start) {
  /** @type {AttackRow[]} */
  const rows = [];
  for (const [name, times, label] of attacks) {
    const { pid, well, hostile, close } = await start();
    await Promise.all([well.ready, hostile.ready]);
    for (let i = 0; i < 300; i += 1) await well.request(echo('warm'));
    const before = now(pid);
    const started = performance.now();
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
      const sent = performance.now();
      // The call also fails when the broker has ended.
      state = await Promise.race([
        well.request(echo('meanwhile')).then(
          () => 'running',
          () => 'over',
        ),
        all.then(() => pause(2_000)).then(() => 'over'),
      ]);
      waits.push(performance.now() - sent);
      if (state === 'running') state = await Promise.race([all, Promise.resolve('running')]);
    }
    const seconds = (performance.now() - started) / 1000;
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
  const columns = [
    'response to one call',
    'answered after, s',
    'peak memory of the broker above idle, MB',
    'calls to another server meanwhile: p99, ms',
    'slowest, ms',
  ];
  return [
    `| ${columns.join(' | ')} |`,
    '|---|---|---|---|---|',
    ...rows.map(
      ({ label, seconds, memory, p99, worst }) =>
        `| ${label} | ${f(seconds)} | ${f(memory)} | ${f(p99)} | ${f(worst)} |`,
    ),
  ].join('\n');
}
