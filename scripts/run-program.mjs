import { spawn } from 'node:child_process';

/**
 * Runs a program to its end without its stdout. Rejects if it fails or takes longer than `limitMs`.
 * @param {string} command
 * @param {string[]} args
 * @param {{ quiet?: boolean, limitMs?: number, cwd?: string }} options quiet: hides stderr too
 * @returns {Promise<void>}
 */
export function runProgram(command, args, { quiet = false, limitMs = 900_000, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', quiet ? 'ignore' : 'inherit'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
      ...options,
    });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ended with ${code ?? 'a signal'}`)),
    );
  });
}
