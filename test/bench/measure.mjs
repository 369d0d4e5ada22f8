// The tools of the benchmark: hosts on stdio, a direct HTTP client, memory from /proc, quantiles.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';

/** @type {Message} */
const initialize = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
};

/**
 * @typedef {{ jsonrpc: '2.0', id: number, method: string, params: object }} Message
 *
 * @typedef {object} Client
 * @property {number} [pid]
 * @property {Promise<number>} [ready] ms from the start to the response to initialize
 * @property {(message: Message) => Promise<string>} request returns the line of the response
 * @property {() => Promise<void>} close
 *
 * @typedef {{ min: number, median: number, max: number }} Spread
 */

/**
 * Starts a bridge.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Client & Required<Pick<Client, 'ready'>> & { pid: number }}
 */
export function startStdio(command, args, env) {
  const started = performance.now();
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'], env });
  /** @type {Map<number, (line: string) => void>} */
  const waiting = new Map();
  /** @type {Buffer[]} */
  let parts = [];
  const receive = (/** @type {string} */ line) => {
    const id = /"id":(\d+)/.exec(line)?.[1];
    const done = waiting.get(Number(id));
    waiting.delete(Number(id));
    done?.(line);
  };
  child.stdout.on('data', (chunk) => {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at));
      receive(Buffer.concat(parts).toString());
      parts = [];
      from = at + 1;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  /** @type {Client['request']} */
  const request = (message) =>
    new Promise((resolve, reject) => {
      waiting.set(message.id, resolve);
      child.stdin.write(`${JSON.stringify(message)}\n`);
      void exited.then(() => reject(new Error(`${command} ${args.join(' ')} ended`)));
    });
  const ready = request(initialize).then(() => {
    const ms = performance.now() - started;
    child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    return ms;
  });
  return {
    pid: child.pid ?? 0,
    ready,
    request,
    async close() {
      child.stdin.end();
      const late = setTimeout(() => child.kill('SIGKILL'), 3_000);
      await exited;
      clearTimeout(late);
    },
  };
}

/**
 * Makes the same calls directly over HTTP.
 * @param {string} url
 * @returns {Client}
 */
export function directClient(url) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const { hostname, port, pathname } = new URL(url);
  /** @type {Client['request']} */
  const request = (message) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(message);
      const headers = {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'content-length': Buffer.byteLength(body),
      };
      http
        .request({ hostname, port, path: pathname, method: 'POST', agent, headers }, (response) => {
          /** @type {Buffer[]} */
          const chunks = [];
          response.on('data', (chunk) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks).toString()));
        })
        .on('error', reject)
        .end(body);
    });
  return { request, close: async () => agent.destroy() };
}

let nextId = 1;
/**
 * @param {string} text
 * @returns {Message}
 */
export const echo = (text) => ({
  jsonrpc: '2.0',
  id: nextId++,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text } },
});

/**
 * Returns the latencies of `count` calls in a row, in ms, sorted.
 * @param {Client} client
 * @param {number} count
 * @param {string} text
 */
export async function latencies(client, count, text) {
  const times = [];
  for (let i = 0; i < count; i += 1) {
    const started = performance.now();
    const line = await client.request(echo(text));
    times.push(performance.now() - started);
    if (!line.includes(text)) throw new Error(`wrong response: ${line.slice(0, 200)}`);
  }
  return times.sort((a, b) => a - b);
}

/**
 * Returns the calls per second with `inFlight` calls at any time.
 * @param {Client} client
 * @param {number} count
 * @param {number} inFlight
 * @param {string} text
 */
export async function throughput(client, count, inFlight, text) {
  const started = performance.now();
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await client.request(echo(text));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return count / ((performance.now() - started) / 1000);
}

/**
 * Returns the private memory of a process and its children in MB, or undefined except on Linux.
 * @param {number} pid
 */
export function privateMemory(pid) {
  try {
    let total = 0;
    for (const each of family(pid)) {
      const text = readFileSync(`/proc/${each}/smaps_rollup`, 'utf8');
      for (const [, kb] of text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)) total += Number(kb) / 1024;
    }
    return total;
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function family(pid) {
  const all = [pid];
  for (const each of all) {
    for (const task of readdirSync(`/proc/${each}/task`)) {
      all.push(...readFileSync(`/proc/${each}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
    }
  }
  return [...new Set(all)];
}

/**
 * @param {number[]} sorted
 * @param {number} q from 0 to 1
 */
export const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;

/**
 * Returns minimum, median and maximum of the numbers.
 * @param {(number | undefined)[]} values
 * @returns {Spread}
 */
export function spread(values) {
  const sorted = values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  return { min: quantile(sorted, 0), median: quantile(sorted, 0.5), max: quantile(sorted, 1) };
}
