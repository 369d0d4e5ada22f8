import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

/** Ends with the process that started it, even when that is killed. */
const tied = process.platform === 'linux' && existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM'] : [];

/**
 * A program that runs beside this one until `stop()`.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export function startBackground(command, args, options = {}) {
  const [program, ...rest] = [...tied, command, ...args];
  const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'ignore'], ...options });
  const ended = once(child, 'exit').catch(() => {});
  child.on('error', () => {});
  return {
    child,
    ended,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const done = await Promise.race([ended.then(() => true), pause(3_000, false, { ref: false })]);
      if (!done) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Asks again every 25 ms until the answer is not undefined, false or null; throws after `limitMs`. */
export async function until(what, ask, limitMs = 10_000) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await pause(25);
  }
}
