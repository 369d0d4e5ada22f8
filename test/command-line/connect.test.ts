import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startMachine } from '../fixtures/command-line-world.ts';

const closing = closeAfterEach();

describe('keybridge connect', () => {
  it('loads only the bridge', async () => {
    const bare = await startMachine(closing);
    const preload = path.join(bare.home, 'preload.cjs');
    await writeFile(
      preload,
      `const { basename } = require('node:path');
      const loaded = () => Object.keys(require('node:module')._cache).map((file) => basename(file));
      process.on('exit', () => process.stderr.write(loaded().sort().join()));`,
    );
    const program = path.join(import.meta.dirname, '../../dist/keybridge.cjs');
    const env = { PATH: process.env['PATH'], HOME: bare.home };
    const running = promisify(execFile)(process.execPath, ['--require', preload, program, 'connect', 'a'], { env });
    running.child.stdin?.end();
    const { stderr } = await running.catch((error: unknown) => error as { stderr: string });
    const loaded = stderr.split('\n').at(-1)?.split(',') ?? [];
    expect(loaded).toContain('keybridge.cjs');
    expect(loaded.filter((file) => !['keybridge.cjs', 'bridge.cjs', 'preload.cjs'].includes(file))).toEqual([]);
    // The schemas and tables of the command line are not in the file that an app starts.
    expect(/ZodError|Exit codes/.test(await readFile(program, 'utf8'))).toBe(false);
  });
});
