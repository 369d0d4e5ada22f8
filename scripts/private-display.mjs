import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { startBackground } from './background.mjs';

const exec = promisify(execFile);
/** The folder of the sockets of X servers. The first server creates it, and none removes it. */
const sockets = '/tmp/.X11-unix';

/**
 * Starts an X server without a screen.
 * @param {{ width?: number, height?: number }} size in pixels
 */
export async function startPrivateDisplay({ width = 1280, height = 800 } = {}) {
  const isFirst = !existsSync(sockets);
  // Mesa would write a shader cache to the home folder.
  const env = { ...process.env, MESA_SHADER_CACHE_DISABLE: 'true' };
  // The server chooses a free display number and writes it to file descriptor 3.
  const server = startBackground(
    'Xvfb',
    ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-noreset'],
    { env, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
  );
  const number = server.child.stdio[3];
  if (!number) throw new Error('Xvfb did not start; is it installed?');
  const line = await Promise.race([once(number, 'data').then(([chunk]) => String(chunk)), server.ended.then(() => '')]);
  if (!line.trim()) throw new Error('Xvfb did not start; is it installed?');
  const display = `:${line.trim()}`;
  return {
    display,
    /** Writes the whole screen to a PNG file. */
    screenshot: async (/** @type {string} */ file) =>
      void (await exec('import', ['-display', display, '-window', 'root', file])),
    async stop() {
      await server.stop();
      // Fails if other servers use it now.
      if (isFirst) await rmdir(sockets).catch(() => {});
    },
  };
}
