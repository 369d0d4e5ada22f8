import { setTimeout as pause } from 'node:timers/promises';
import { startBackground } from '../../scripts/background.mjs';
import { sandboxSwitches } from '../../scripts/sandbox.mjs';
import { callBroker } from '../../electron/broker/control-client.ts';
import type { CallInput, CommandName, Output } from '../../shared/api.ts';
import type { Ending } from './ending.ts';

/** Calls a command over the local socket, as the command line does. Throws AppError. */
export function call<Name extends CommandName>(
  dataDir: string,
  name: Name,
  input: CallInput<Name>,
): Promise<Output<Name>> {
  return callBroker(dataDir, name, input);
}

/** Polls until `check` returns a value. Throws after `limitMs`, with the last error of `check`, and on an abort. */
export async function until<Value>(
  what: string,
  check: () => Promise<Value | undefined | false> | Value | undefined | false,
  { limitMs, signal }: { limitMs: number; signal: AbortSignal },
): Promise<Value> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    let reason = '';
    const value = await Promise.resolve(check()).catch((error: unknown) => {
      reason = error instanceof Error ? ` (${error.message})` : '';
      return undefined;
    });
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${limitMs / 1000} s${reason}`);
    await pause(100);
    signal.throwIfAborted();
  }
}

/** Starts the real app on this data folder, and waits until its broker responds. Stops it at the end. */
export async function startDesktopApp(
  options: { root: string; executable: string; env: Record<string, string | undefined>; dataDir: string },
  { atEnd, signal }: Ending,
) {
  const app = startBackground(options.executable, [...sandboxSwitches(), options.root], {
    env: options.env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await atEnd(() => app.stop(8_000));
  let errors = '';
  app.child.stderr?.on('data', (chunk: Buffer) => (errors = `${errors}${chunk.toString()}`.slice(-1_000)));
  const early = app.ended.then(() => {
    throw new Error(`the app ended before it responded. The end of its stderr:\n${errors.trim()}`);
  });
  await Promise.race([
    until('a response of the app', () => call(options.dataDir, 'status', undefined), { limitMs: 30_000, signal }),
    early,
  ]);
  return {
    ended: app.ended,
    call: <Name extends CommandName>(name: Name, input: CallInput<Name>) => call(options.dataDir, name, input),
  };
}
