import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { once } from 'node:events';
import { startBackground } from './background.mjs';

const exec = promisify(execFile);

/**
 * An X screen that nobody sees.
 * @param {{ width?: number, height?: number }} size in pixels
 */
export async function startPrivateDisplay({ width = 1280, height = 800 } = {}) {
  // The server picks a free number itself and writes it to descriptor 3.
  const server = startBackground('Xvfb', ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-noreset'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const number = server.child.stdio[3];
  const line = await Promise.race([once(number, 'data').then(([chunk]) => String(chunk)), server.ended.then(() => '')]);
  if (!line.trim()) throw new Error('Xvfb did not start.');
  const display = `:${line.trim()}`;
  return {
    display,
    /** Puts the whole screen into a PNG file. */
    screenshot: async (file) => void (await exec('import', ['-display', display, '-window', 'root', file])),
    stop: () => server.stop(),
  };
}
