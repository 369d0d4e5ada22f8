// npm run bench: the bridge with its headless broker against mcp-remote, a minimal bridge and a direct client, in turn
// in one run, so that a noisy minute hits all alike. Ratios per round, then min / median / max.
//   npm run bench -- --rounds 9 --write     --write puts the tables into docs/performance.md
//   npm run bench -- --rounds 0             only what hostile answers cost
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

const root = path.join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, write: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
const temp = mkdtempSync(path.join(os.tmpdir(), 'keybridge-bench-'));
const clean = { PATH: process.env.PATH, HOME: temp };
const started = [];
const machine = `${rounds > 0 ? `${rounds} rounds, ` : ''}Node ${process.version}, ${process.platform}, ${os.cpus().length} cores.`;

const firstLine = (child) => new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
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

function cli(args, where = data) {
  const done = spawnSync(process.execPath, [keybridge, ...args], { env: { ...clean, ...where }, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`keybridge ${args.join(' ')}: ${done.stderr}`);
}

async function oneRound(kinds, url, rows) {
  const text = 'x'.repeat(100);
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

async function memory(kinds, brokerPid) {
  const rows = {};
  for (const [kind, open] of kinds.filter(([kind]) => kind !== 'direct')) {
    const one = open();
    await one.ready;
    const ten = [one, ...Array.from({ length: 9 }, open)];
    const own = privateMemory(one.pid);
    await Promise.all(ten.map((client) => client.ready));
    const broker = kind === 'keybridge' ? (privateMemory(brokerPid) ?? 0) : 0;
    rows[kind] = {
      one: own + broker,
      ten: ten.reduce((sum, client) => sum + (privateMemory(client.pid) ?? 0), broker),
      broker,
    };
    await Promise.all(ten.map((client) => client.close()));
  }
  return rows;
}

const ratio = (rows, what, a, b) => spread(rows.map((row) => row[a][what] / row[b][what]));
const f = (x, digits = 2) => (x === undefined ? '–' : x.toFixed(digits));
const s = ({ min, median, max }, digits = 2) => `${f(median, digits)} (${f(min, digits)}–${f(max, digits)})`;

function table(rows, mem) {
  const kinds = ['keybridge', 'mcp-remote', 'minimal', 'direct'];
  const line = (label, cells) => `| ${[label, ...cells].join(' | ')} |`;
  const metric = (label, what, digits) => [
    line(label, [
      ...kinds.map((kind) =>
        rows[0][kind][what] === undefined ? '–' : s(spread(rows.map((row) => row[kind][what])), digits),
      ),
      s(ratio(rows, what, 'keybridge', 'mcp-remote')),
    ]),
  ];
  const memoryLine = (label, what) =>
    line(label, [
      ...kinds.map((kind) => (mem[kind] ? f(mem[kind][what], 1) : '–')),
      f(mem.keybridge[what] / mem['mcp-remote'][what]),
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

function write(mark, text) {
  const file = path.join(root, 'docs', 'performance.md');
  const old = readFileSync(file, 'utf8');
  const [head, tail] = [old.indexOf(`<!-- ${mark} -->`), old.indexOf(`<!-- end of ${mark} -->`)];
  writeFileSync(file, `${old.slice(0, head)}<!-- ${mark} -->\n\n${machine}\n\n${text}\n\n${old.slice(tail)}`);
}

/** A broker of its own, so that its highest memory is that of one attack. */
async function underAttack(well, hostile) {
  const own = { KEYBRIDGE_DATA_DIR: mkdtempSync(path.join(temp, 'attack-')), KEYBRIDGE_STORE: 'memory' };
  const broker = start([keybridge, 'serve'], own);
  await firstLine(broker);
  cli(['add', well, '--name', 'well'], own);
  cli(['add', hostile, '--name', 'hostile'], own);
  const open = (name) => startStdio(process.execPath, [keybridge, 'connect', name], { ...clean, ...own });
  const [one, other] = [open('well'), open('hostile')];
  return {
    pid: broker.pid,
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
    await oneRound(kinds, url, []); // warm-up: file caches
    const rows = [];
    for (let i = 0; i < rounds; i += 1) {
      await oneRound(kinds, url, rows);
      console.log(
        `round ${i + 1} of ${rounds}: cold ${f(rows[i].keybridge.cold, 0)} / ${f(rows[i]['mcp-remote'].cold, 0)} ms, p50 ${f(rows[i].keybridge.p50)} / ${f(rows[i]['mcp-remote'].p50)} ms, ${f(rows[i].keybridge.rate, 0)} / ${f(rows[i]['mcp-remote'].rate, 0)} calls/s`,
      );
    }
    const result = table(rows, await memory(kinds, broker.pid));
    console.log(`\n${machine}\n\n${result}`);
    if (values.write) write('table', result);
  }
  if (process.platform === 'linux') {
    const hostile = await firstLine(start(['test/bench/hostile-server.mjs']));
    const result = attackTable(await measureAttacks(() => underAttack(url, hostile)));
    console.log(`\nHostile answers, ${machine}\n\n${result}`);
    if (values.write) write('attacks', result);
  }
} finally {
  for (const child of started.toReversed()) {
    child.stdin.end();
    if (child.exitCode === null) child.kill();
  }
  rmSync(temp, { recursive: true, force: true });
}
