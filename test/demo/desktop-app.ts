import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { callBroker } from '../../electron/broker/control-client.ts';
import type { CallInput, CommandName, Output } from '../../shared/api.ts';

/** A command over the local socket, as the command line does it. Throws AppError. */
export function call<Name extends CommandName>(dataDir: string, name: Name, input: CallInput<Name>): Promise<Output<Name>> {
  return callBroker(dataDir, name, input);
}

/** Asks until `ask` gives something; throws after `limitMs`. */
export async function until<Value>(what: string, ask: () => Promise<Value | undefined | false> | Value | undefined | false, limitMs = 20_000): Promise<Value> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await Promise.resolve(ask()).catch(() => undefined);
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The real app on a data folder of its own; ready when its broker answers. */
export async function startDesktopApp(options: { root: string; executable: string; env: Record<string, string | undefined>; dataDir: string }) {
  // Chromium refuses to run its sandbox as root; only launchers like this one may switch it off.
  const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const child = spawn(options.executable, [...flags, options.root], { env: options.env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await until('the app', () => call(options.dataDir, 'status', undefined), 30_000);
  return {
    ended,
    call: <Name extends CommandName>(name: Name, input: CallInput<Name>) => call(options.dataDir, name, input),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 8_000);
      await ended;
      clearTimeout(late);
    },
  };
}
