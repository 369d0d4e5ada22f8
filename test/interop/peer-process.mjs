import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The first start of a peer loads hundreds of modules, perhaps on a busy machine. */
const startWithinMs = 60_000;

/**
 * Starts a peer's program. It prints `READY {...}` on stdout when it listens, reads orders as lines from stdin, prints
 * `DONE {...}` after each, and exits at the end of its stdin.
 * @returns {Promise<{ facts: any, order: (line: string) => Promise<any>, close: () => Promise<void> }>}
 */
export async function startPeer(command, args, env) {
  const { PATH, HOME, LANG } = process.env;
  const child = spawn(command, args, {
    env: { PATH, HOME, ...(LANG === undefined ? {} : { LANG }), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let last = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (last = (last + text).slice(-2_000)));
  child.stdin.on('error', () => {});
  const ended = new Promise((resolve) => child.once('close', resolve));
  const waiting = [];
  const next = () => new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  createInterface({ input: child.stdout }).on('line', (line) => {
    // Peers may also print other lines on stdout.
    const said = /^(?:READY|DONE) (.*)$/.exec(line)?.[1];
    if (said !== undefined) waiting.shift()?.resolve(JSON.parse(said));
  });
  child.once('error', (error) => waiting.shift()?.reject(error));
  child.once('close', (code) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`the peer ended (${code}): ${last.trim()}`));
  });
  const close = async () => {
    child.stdin.end();
    const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(late);
  };
  const starting = setTimeout(() => child.kill('SIGKILL'), startWithinMs);
  try {
    const facts = await next();
    return {
      facts,
      order: (line) => {
        const answer = next();
        child.stdin.write(`${line}\n`);
        return answer;
      },
      close,
    };
  } finally {
    clearTimeout(starting);
  }
}
