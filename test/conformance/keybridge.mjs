import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

/**
 * The built Keybridge without a window, isolated from the user's home folder. `dist`: the folder of the build;
 * `folder`: for its data, deleted afterwards.
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
    // Its own process group, so that all of it can be killed.
    const child = spawn(process.execPath, [program, ...args], { env, stdio, detached: true });
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  }

  return {
    env,
    /** The command with which a host starts the bridge. */
    bridge: (name) => ({ command: process.execPath, args: [program, 'connect', name], env }),

    /** Resolves when the broker is ready. */
    async serve() {
      // It exits at the end of its stdin, so also when this process crashes.
      const child = start(['serve', '--sign-in=auto', '--json', '--verbose'], ['pipe', 'pipe', 'inherit']);
      const lines = createInterface({ input: child.stdout });
      for await (const line of lines) {
        if (JSON.parse(line).ready) return;
      }
      throw new Error('keybridge serve ended before it was ready');
    },

    /** Runs one command. Resolves with its output, parsed as JSON. Rejects if it fails. */
    async run(...args) {
      const child = start([...args, '--json'], ['ignore', 'pipe', 'inherit']);
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      const code = await new Promise((resolve) => child.once('close', resolve));
      // The exit code of `status` is the state of the server.
      if (code !== 0 && args[0] !== 'status') throw new Error(`keybridge ${args[0]} failed (${code}): ${text}`);
      return JSON.parse(text);
    },

    /** Kills everything that was started. Resolves when it has exited. */
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
        // It has exited.
      }
    }
  }
}
