import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Keybridge without a window, in a home of its own: everything that the built program does, and nothing of the user's.
 * `dist`: where the build is; `folder`: for its data, thrown away afterwards.
 */
export function createKeybridge({ dist, folder }) {
  const program = path.join(dist, 'keybridge.cjs');
  const { PATH, LANG } = process.env;
  const env = {
    PATH: `${path.join(folder, 'bin')}${path.delimiter}${PATH}`,
    ...(LANG === undefined ? {} : { LANG }),
    HOME: folder,
    TMPDIR: folder,
    KEYBRIDGE_DATA_DIR: path.join(folder, 'data'),
    KEYBRIDGE_STORE: 'memory',
    BROWSER: path.join(folder, 'bin', 'xdg-open'),
  };
  const children = new Set();

  function start(args, stdio) {
    // A group of its own, so that nothing of it stays behind.
    const child = spawn(process.execPath, [program, ...args], { env, stdio, detached: true });
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  }

  return {
    env,
    /** Arguments for a host that starts the bridge. */
    bridge: (name) => ({ command: process.execPath, args: [program, 'connect', name], env }),

    /** Resolves when the broker is ready. */
    async serve() {
      // It ends with its stdin, so with this process, however that ends.
      const child = start(['serve', '--sign-in=auto', '--json', '--verbose'], ['pipe', 'pipe', 'inherit']);
      const lines = createInterface({ input: child.stdout });
      for await (const line of lines) {
        if (JSON.parse(line).ready) return;
      }
      throw new Error('keybridge serve ended before it was ready');
    },

    /** One command; resolves with what it printed, as JSON. Rejects when it failed. */
    async run(...args) {
      const child = start([...args, '--json'], ['ignore', 'pipe', 'inherit']);
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      const code = await new Promise((resolve) => child.once('close', resolve));
      // `status` says by its exit code how the server stands.
      if (code !== 0 && args[0] !== 'status') throw new Error(`keybridge ${args[0]} failed (${code}): ${text}`);
      return JSON.parse(text);
    },

    /** Ends everything that was started; resolves when it is gone. */
    async end(withinMs = 3_000) {
      const all = [...children];
      const gone = Promise.all(all.map((child) => new Promise((resolve) => child.once('exit', resolve))));
      signal(all, 'SIGTERM');
      let timer;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, withinMs);
      });
      await Promise.race([gone, late]);
      clearTimeout(timer);
      signal(all, 'SIGKILL');
    },
  };

  function signal(all, name) {
    for (const { pid } of all) {
      try {
        process.kill(-pid, name);
      } catch {
        // It has ended.
      }
    }
  }
}
