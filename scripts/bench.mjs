// npm run bench: compares the bridge with its headless broker to mcp-remote, a minimal bridge and a direct client. They
// take turns in one run, so that other load on the machine affects all of them. Prints min / median / max of the
// ratios.
//   npm run bench -- --rounds 9 --write     --write updates the tables in docs/performance.md
//   npm run bench -- --rounds 0             only the cost of hostile responses
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { attackTable, measureAttacks } from '../test/bench/attacks.mjs';
import {
  directClient,
  latencies,
  privateMemory,
  quantile,
  spread,
  startStdio,
  throughput,
} from '../test/bench/measure.mjs';
import { ensureModules } from './setup.mjs';

/**
 * @typedef {import('node:stream').Readable} Readable
 * @typedef {import('node:stream').Writable} Writable
 * @typedef {import('../test/bench/measure.mjs').Client} Client
 * @typedef {import('../test/bench/measure.mjs').Spread} Spread
 * @typedef {[kind: string, open: () => Client]} Kind
 * @typedef {'cold' | 'p50' | 'p99' | 'rate'} Metric
 * @typedef {Record<string, Record<Metric, number | undefined>>} Round by kind
 * @typedef {Record<string, { one: number, ten: number, broker: number }>} Memory in MB, by kind
 */

const root = path.join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, write: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
const temp = mkdtempSync(path.join(os.tmpdir(), 'keybridge-bench-'));
const clean = { PATH: process.env.PATH, HOME: temp };
/** @type {import('node:child_process').ChildProcessByStdio<Writable, Readable, null>[]} */
const started = [];
const machine = [
  ...(rounds > 0 ? [`${rounds} rounds`] : []),
  `Node ${process.version}`,
  process.platform,
  `${os.cpus().length} cores.`,
].join(', ');

/** @type {(child: { stdout: Readable }) => Promise<string>} */
const firstLine = (child) => new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
/**
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function start(args, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...clean, ...env },
  });
  started.push(child);
  return child;
}
const keybridge = path.join(root, 'dist', 'keybridge.cjs');
const data = { KEYBRIDGE_DATA_DIR: path.join(temp, 'keybridge'), KEYBRIDGE_STORE: 'memory' };

/** @param {string[]} args */
function cli(args, where = data) {
  const done = spawnSync(process.execPath, [keybridge, ...args], { env: { ...clean, ...where }, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`keybridge ${args.join(' ')}: ${done.stderr}`);
}

/**
 * @param {Kind[]} kinds
 * @param {Round[]} rows one is added
 */
async function oneRound(kinds, rows) {
  const text = 'x'.repeat(100);
  /** @type {Round} */
  const round = {};
  for (const [kind, open] of kinds) {
    const client = open();
    const cold = client.ready === undefined ? undefined : await client.ready;
    await latencies(client, 60, text);
    const times = await latencies(client, 400, text);
    await throughput(client, 600, 64, text);
    const rate = await throughput(client, 3_000, 64, text);
    round[kind] = { cold, p50: quantile(times, 0.5), p99: quantile(times, 0.99), rate };
    await client.close();
  }
  rows.push(round);
}

/**
 * @param {Kind[]} kinds
 * @param {number} brokerPid
 */
async function memory(kinds, brokerPid) {
  /** @type {Memory} */
  const rows = {};
  for (const [kind, open] of kinds.filter(([kind]) => kind !== 'direct')) {
    const one = open();
    await one.ready;
    const ten = [one, ...Array.from({ length: 9 }, open)];
    const own = memoryOf(one.pid);
    await Promise.all(ten.map(async (client) => client.ready));
    const broker = kind === 'keybridge' ? memoryOf(brokerPid) : 0;
    rows[kind] = { one: own + broker, ten: ten.reduce((sum, client) => sum + memoryOf(client.pid), broker), broker };
    await Promise.all(ten.map((client) => client.close()));
  }
  return rows;
}

/** @param {number | undefined} pid */
const memoryOf = (pid) => (pid === undefined ? 0 : (privateMemory(pid) ?? 0));
/** @type {(rows: Round[], what: Metric, a: string, b: string) => Spread} */
const ratio = (rows, what, a, b) => spread(rows.map((row) => (row[a]?.[what] ?? NaN) / (row[b]?.[what] ?? NaN)));
/** @type {(x: number | undefined, digits?: number) => string} */
const f = (x, digits = 2) => (x === undefined ? '–' : x.toFixed(digits));
/** @type {(spread: Spread, digits?: number) => string} */
const s = ({ min, median, max }, digits = 2) => `${f(median, digits)} (${f(min, digits)}–${f(max, digits)})`;

/**
 * @param {Round[]} rows
 * @param {Memory} mem
 */
function table(rows, mem) {
  const kinds = ['keybridge', 'mcp-remote', 'minimal', 'direct'];
  /** @type {(label: string, cells: string[]) => string} */
  const line = (label, cells) => `| ${[label, ...cells].join(' | ')} |`;
  /** @type {(label: string, what: Metric, digits: number) => string[]} */
  const metric = (label, what, digits) => [
    line(label, [
      ...kinds.map((kind) =>
        rows[0]?.[kind]?.[what] === undefined ? '–' : s(spread(rows.map((row) => row[kind]?.[what])), digits),
      ),
      s(ratio(rows, what, 'keybridge', 'mcp-remote')),
    ]),
  ];
  /** @type {(label: string, what: 'one' | 'ten') => string} */
  const memoryLine = (label, what) =>
    line(label, [
      ...kinds.map((kind) => (mem[kind] ? f(mem[kind][what], 1) : '–')),
      f((mem['keybridge']?.[what] ?? NaN) / (mem['mcp-remote']?.[what] ?? NaN)),
    ]);
  return [
    line('median (min–max)', [...kinds, 'keybridge ÷ mcp-remote']),
    '|---|---|---|---|---|---|',
    ...metric('cold start to `initialize` answered, ms', 'cold', 0),
    ...metric('echo 100 B, p50, ms', 'p50', 2),
    ...metric('echo 100 B, p99, ms', 'p99', 2),
    ...metric('64 in flight, calls/s', 'rate', 0),
    memoryLine('private memory, 1 bridge (with broker), MB', 'one'),
    memoryLine('private memory, 10 bridges (with broker), MB', 'ten'),
  ].join('\n');
}

/**
 * Replaces the text between two marks in docs/performance.md.
 * @param {string} mark
 * @param {string} text
 */
function write(mark, text) {
  const file = path.join(root, 'docs', 'performance.md');
  const old = readFileSync(file, 'utf8');
  const [head, tail] = [old.indexOf(`<!-- ${mark} -->`), old.indexOf(`<!-- end of ${mark} -->`)];
  writeFileSync(file, `${old.slice(0, head)}<!-- ${mark} -->\n\n${machine}\n\n${text}\n\n${old.slice(tail)}`);
}

/** @param {Round | undefined} round */
function inShort(round) {
  const both = (/** @type {Metric} */ what, digits = 2) =>
    ['keybridge', 'mcp-remote'].map((kind) => f(round?.[kind]?.[what], digits)).join(' / ');
  return `cold ${both('cold', 0)} ms, p50 ${both('p50')} ms, ${both('rate', 0)} calls/s`;
}

/**
 * Starts a broker for one attack, so that its peak memory is that of this attack.
 * @param {string} well address of a server that behaves well
 * @param {string} hostile address of a hostile server
 */
async function underAttack(well, hostile) {
  const own = { KEYBRIDGE_DATA_DIR: mkdtempSync(path.join(temp, 'attack-')), KEYBRIDGE_STORE: 'memory' };
  const broker = start([keybridge, 'serve'], own);
  await firstLine(broker);
  cli(['add', well, '--name', 'well'], own);
  cli(['add', hostile, '--name', 'hostile'], own);
  const open = (/** @type {string} */ name) =>
    startStdio(process.execPath, [keybridge, 'connect', name], { ...clean, ...own });
  const [one, other] = [open('well'), open('hostile')];
  return {
    pid: broker.pid ?? 0,
    well: one,
    hostile: other,
    async close() {
      await Promise.all([one.close(), other.close()]);
      broker.kill();
    },
  };
}

try {
  await ensureModules();
  spawnSync(process.execPath, ['scripts/build.mjs', '--if-stale'], { cwd: root, stdio: 'inherit' });
  const url = await firstLine(start(['test/bench/echo-server.mjs']));
  const broker = start([keybridge, 'serve'], data);
  await firstLine(broker);
  cli(['add', url, '--name', 'bench']);
  const remote = path.join(root, 'node_modules', 'mcp-remote', 'dist', 'proxy.js');
  /** @type {Kind[]} */
  const kinds = [
    ['keybridge', () => startStdio(process.execPath, [keybridge, 'connect', 'bench'], { ...clean, ...data })],
    [
      'mcp-remote',
      () =>
        startStdio(process.execPath, [remote, url, '--allow-http', '--transport', 'http-only'], {
          ...clean,
          MCP_REMOTE_CONFIG_DIR: path.join(temp, 'mcp-remote'),
        }),
    ],
    ['minimal', () => startStdio(process.execPath, ['test/bench/minimal-bridge.mjs', url], clean)],
    ['direct', () => directClient(url)],
  ];
  if (rounds > 0) {
    // Warms up the file caches.
    await oneRound(kinds, []);
    /** @type {Round[]} */
    const rows = [];
    for (let i = 0; i < rounds; i += 1) {
      await oneRound(kinds, rows);
      console.log(`round ${i + 1} of ${rounds}: ${inShort(rows.at(-1))}`);
    }
    const result = table(rows, await memory(kinds, broker.pid ?? 0));
    console.log(`\n${machine}\n\n${result}`);
    if (values.write) write('table', result);
  }
  if (process.platform === 'linux') {
    const hostile = await firstLine(start(['test/bench/hostile-server.mjs']));
    const result = attackTable(await measureAttacks(() => underAttack(url, hostile)));
    console.log(`\nHostile responses, ${machine}\n\n${result}`);
    if (values.write) write('attacks', result);
  }
} finally {
  for (const child of started.toReversed()) {
    child.stdin.end();
    if (child.exitCode === null) child.kill();
  }
  rmSync(temp, { recursive: true, force: true });
}
