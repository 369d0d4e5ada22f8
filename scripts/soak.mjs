// npm run soak: the crash tests of the refresh path, 50 kills at each named point instead of 5, and 200 bridges of one
// server instead of 60. About half an hour; ends by itself.
//   npm run soak -- 200      another number of kills
import { spawn } from 'node:child_process';
import path from 'node:path';
import { runCommand, setUp } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');
const kills = Number(process.argv[2] ?? 50);

await runCommand(async () => {
  await setUp({ keyring: true });
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const env = { ...process.env, KEYBRIDGE_KILLS: String(kills), KEYBRIDGE_BRIDGES: '200' };
  const args = [
    vitest,
    'run',
    'test/end-to-end/kill.test.ts',
    'test/app/scale.test.ts',
    '--testTimeout',
    String(kills * 20_000),
  ];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
});
