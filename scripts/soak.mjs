// npm run soak: runs the crash tests of the refresh path with 50 kills at each point instead of 5, and with 200 bridges
// of one server instead of 60. Takes about half an hour.
//   npm run soak -- 200      with 200 kills at each point
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
