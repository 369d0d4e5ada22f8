import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

/** Prefix that makes a program end with the process that started it, even if that is killed. */
const endWithParent =
  process.platform === 'linux' && existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM'] : [];

/**
 * Starts a program that runs until `stop()`. Ctrl-C does not reach it, so that its owner can end it in order.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export function startBackground(command, args, options = {}) {
  const [program = command, ...rest] = [...endWithParent, command, ...args];
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
    /** Resolves when the program has ended or could not be started. */
    ended,
    /** Sends SIGTERM, and SIGKILL after `limitMs`. */
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
 * Polls every 25 ms until `check` returns a truthy value. Throws after `limitMs`, or as soon as `program` has ended.
 * @param {string} what
 * @param {() => unknown} check
 * @param {number} [limitMs]
 * @param {ReturnType<typeof startBackground>} [program]
 */
export async function until(what, check, limitMs = 10_000, program) {
  const deadline = Date.now() + limitMs;
  let hasEnded = false;
  void program?.ended.then(() => (hasEnded = true));
  for (;;) {
    const value = await check();
    if (value) return value;
    if (hasEnded) throw new Error(`${what}: ${program?.name} ended at once; is it installed?`);
    if (Date.now() > deadline) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await pause(25);
  }
}
