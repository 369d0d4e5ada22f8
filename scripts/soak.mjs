// npm run soak: the crash tests of the refresh path, 50 kills at each named point instead of 5. About half an hour; ends by itself.
//   npm run soak -- 200      another number of kills
import { spawn } from 'node:child_process';
import path from 'node:path';
import { ensureModules, ensureSystem, runCommand } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');
const kills = Number(process.argv[2] ?? 50);

await runCommand(async () => {
  await ensureModules();
  await ensureSystem({ keyring: true });
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const env = { ...process.env, KEYBRIDGE_KILLS: String(kills) };
  const child = spawn(process.execPath, [vitest, 'run', 'test/kill.test.ts', '--testTimeout', String(kills * 20_000)], { cwd: root, stdio: 'inherit', env });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
});
