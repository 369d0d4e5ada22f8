import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startMachine } from '../fixtures/command-line-world.ts';

const closing = closeAfterEach();

async function logAfterServing(args: readonly string[]): Promise<{ readonly log: string; readonly stderr: string }> {
  const bare = await startMachine(closing);
  const broker = await bare.serve(args);
  await bare.run(['status']);
  broker.child.kill('SIGTERM');
  const { stderr } = await broker.ended;
  return { log: await readFile(path.join(bare.dataDir, 'keybridge.log'), 'utf8'), stderr };
}

describe('the log level of keybridge serve', () => {
  it('is info by default, which logs the start but not each command', async () => {
    const { log, stderr } = await logAfterServing([]);
    expect(log).toContain('"level":"info","event":"serve_started"');
    expect(log).not.toContain('"event":"command"');
    expect(stderr).toBe('');
  });

  it('is debug with --verbose, which also prints the log on stderr', async () => {
    const { log, stderr } = await logAfterServing(['--verbose']);
    for (const text of [log, stderr]) expect(text).toContain('"level":"debug","event":"command"');
  });

  it('is that of --log-level, with --verbose too', async () => {
    const { log, stderr } = await logAfterServing(['--verbose', '--log-level', 'error']);
    expect([log, stderr]).toEqual(['', '']);
  });

  it('must exist, or serve exits with code 2', async () => {
    const bare = await startMachine(closing);
    expect(await bare.run(['serve', '--log-level', 'loud'])).toMatchObject({
      code: exitCodes.usage,
      stderr: expect.stringContaining('--log-level must be one of error, warn, info, debug.'),
    });
  });
});
