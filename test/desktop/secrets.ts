import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { root } from './app.ts';

const exec = promisify(execFile);

// In a process of its own, because keytar may hang. findCredentials needs an unlocked keyring, as it is here.
const readAll = `require('keytar')
  .findCredentials('Keybridge')
  .then((all) => process.stdout.write(JSON.stringify(all)))`;

/** Reads every secret of the app from the Secret Service of this bus. */
export async function storedSecrets(busAddress: string): Promise<{ account: string; password: string }[]> {
  const { stdout } = await exec(process.execPath, ['-e', readAll], {
    cwd: root,
    timeout: 10_000,
    env: { PATH: process.env['PATH'], DBUS_SESSION_BUS_ADDRESS: busAddress },
  });
  return JSON.parse(stdout) as { account: string; password: string }[];
}
