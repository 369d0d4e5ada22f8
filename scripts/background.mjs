import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

/** Ends with the process that started it, even when that is killed. */
const tied =
  process.platform === 'linux' && existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM'] : [];

/**
 * A program that runs beside this one until `stop()`. Ctrl-C does not reach it: who started it ends it in good order.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export function startBackground(command, args, options = {}) {
  const [program = command, ...rest] = [...tied, command, ...args];
  /** @type {import('node:child_process').ChildProcess} */
  const child = spawn(program, rest, {
    stdio: ['ignore', 'ignore', 'ignore'],
    detached: process.platform !== 'win32',
    ...options,
  });
  const ended = once(child, 'exit').catch(() => {});
  child.on('error', () => {});
  return {
    name: command,
    child,
    /** When it is no longer there, also because it could not be started. */
    ended,
    /** SIGTERM, and after `limitMs` SIGKILL. */
    async stop(limitMs = 3_000) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const done = await Promise.race([ended.then(() => true), pause(limitMs, false, { ref: false })]);
      if (!done) child.kill('SIGKILL');
      await ended;
    },
  };
}

/**
 * Asks again every 25 ms until the answer is not undefined, false or null; throws after `limitMs`, or at once when
 * the program that is waited for has ended.
 * @param {string} what
 * @param {() => unknown} ask
 * @param {number} [limitMs]
 * @param {ReturnType<typeof startBackground>} [program]
 */
export async function until(what, ask, limitMs = 10_000, program) {
  const deadline = Date.now() + limitMs;
  let gone = false;
  void program?.ended.then(() => (gone = true));
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (gone) throw new Error(`${what}: ${program?.name} ended at once; is it installed?`);
    if (Date.now() > deadline) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await pause(25);
  }
}
