import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { startBackground } from './background.mjs';

const exec = promisify(execFile);
/** Where X servers put their sockets; the first one makes it and no one removes it. */
const sockets = '/tmp/.X11-unix';

/**
 * An X screen that nobody sees.
 * @param {{ width?: number, height?: number }} size in pixels
 */
export async function startPrivateDisplay({ width = 1280, height = 800 } = {}) {
  const first = !existsSync(sockets);
  // Without the cache of compiled shaders that Mesa keeps in the home folder.
  const env = { ...process.env, MESA_SHADER_CACHE_DISABLE: 'true' };
  // The server picks a free number itself and writes it to descriptor 3.
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
    /** Puts the whole screen into a PNG file. */
    screenshot: async (/** @type {string} */ file) =>
      void (await exec('import', ['-display', display, '-window', 'root', file])),
    async stop() {
      await server.stop();
      if (first) await rmdir(sockets).catch(() => {}); // unless others use it now
    },
  };
}
