import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const root = path.join(import.meta.dirname, '../..');

/** Runs in another process, because keytar can hang. */
const readItems = `
  const keytar = require('keytar');
  const [service, ...names] = process.argv.slice(1);
  Promise.all(names.map((name) => keytar.getPassword(service, name)))
    .then((values) => process.stdout.write(values.map((value) => value ?? '').join('\\n')));
`;

/** Reads the keychain items of the app on this data folder, as one text. */
export async function storedSecrets(dataDir: string, env: Record<string, string | undefined>): Promise<string> {
  const index = JSON.parse(await readFile(path.join(dataDir, 'credentials.json'), 'utf8')) as {
    credentials: Record<string, { items: string[] }>;
  };
  const names = Object.values(index.credentials).flatMap(({ items }) => items);
  const bus = env['KEYBRIDGE_KEYCHAIN_DBUS'] ?? env['DBUS_SESSION_BUS_ADDRESS'];
  const child = exec(process.execPath, ['-e', readItems, 'Keybridge', ...names], {
    cwd: root,
    timeout: 10_000,
    env: { ...process.env, DBUS_SESSION_BUS_ADDRESS: bus },
  });
  return (await child).stdout;
}
