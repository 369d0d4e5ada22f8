import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { bareMachine, type BareMachine } from '../fixtures/command-line.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

const closing = closeAfterEach();

async function logAfterServing(args: readonly string[]): Promise<{ bare: BareMachine; log: string; stderr: string }> {
  const bare = await bareMachine();
  closing.push(() => bare.close());
  const broker = await bare.serve(args);
  await bare.run(['status']);
  broker.child.kill('SIGTERM');
  const { stderr } = await broker.ended;
  return { bare, log: await readFile(path.join(bare.dataDir, 'keybridge.log'), 'utf8'), stderr };
}

describe('the log level of keybridge serve', () => {
  it('is info: the log has the start, not each command', async () => {
    const { log, stderr } = await logAfterServing([]);
    expect(log).toContain('"level":"info","event":"serve_started"');
    expect(log).not.toContain('"event":"command"');
    expect(stderr).toBe('');
  });

  it('is debug with --verbose, which also prints the log on stderr', async () => {
    const { log, stderr } = await logAfterServing(['--verbose']);
    for (const text of [log, stderr]) expect(text).toContain('"level":"debug","event":"command"');
  });

  it('is what --log-level says, with --verbose as well', async () => {
    const { log, stderr } = await logAfterServing(['--verbose', '--log-level', 'error']);
    expect([log, stderr]).toEqual(['', '']);
  });

  it('has to be a level that exists: another one ends the start with exit code 2', async () => {
    const bare = await bareMachine();
    closing.push(() => bare.close());
    expect(await bare.run(['serve', '--log-level', 'loud'])).toMatchObject({
      code: exitCodes.usage,
      stderr: expect.stringContaining('--log-level is one of error, warn, info, debug.'),
    });
  });
});
