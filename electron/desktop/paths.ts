import path from 'node:path';
import { app } from 'electron';
import { dataFolder, writePrivateFile } from '../local-socket/data-folder.ts';
import { packaged } from './build-flags.ts';

const built = import.meta.dirname;

/** Where the parts of the app lie, in a checkout and in a package. */
export const paths = {
  pages: path.join(built, 'renderer'),
  preload: path.join(built, 'preload.cjs'),
  keychain: path.join(built, 'keychain.cjs'),
  icons: path.join(built, '..', 'build'),
} as const;

type Command = readonly [string, ...string[]];

/** What a host's configuration starts. In a checkout the Node that built it; `npm start` says which one that was. */
export function bridgeCommand(): Command {
  if (packaged)
    return [
      path.join(process.resourcesPath, 'bin', process.platform === 'win32' ? 'keybridge.exe' : 'keybridge'),
      'connect',
    ];
  return [process.env['KEYBRIDGE_NODE'] ?? 'node', path.join(built, 'keybridge.cjs'), 'connect'];
}

/** What a bridge runs to start this app without a window. An AppImage's inside is gone with its process. */
function startCommand(): Command {
  if (packaged) return [process.env['APPIMAGE'] ?? process.execPath, '--hidden'];
  // Written down only if this start had it: the app never adds it by itself.
  const sandbox = app.commandLine.hasSwitch('no-sandbox') ? ['--no-sandbox'] : [];
  return [process.execPath, ...sandbox, path.dirname(built), '--hidden'];
}

/** What a bridge needs to find this broker when it is not where a bridge looks by itself. */
export function bridgeEnv(dataDir: string): Record<string, string> {
  const { KEYBRIDGE_DATA_DIR: _, ...others } = process.env;
  return dataFolder(others) === dataDir ? {} : { KEYBRIDGE_DATA_DIR: dataDir };
}

/** Leaves in the data folder how a bridge can start the app when it is not running. */
export function writeStartCommand(dataDir: string): void {
  const [command, ...args] = startCommand();
  writePrivateFile(path.join(dataDir, 'app.json'), JSON.stringify({ command, args }), { exclusive: false });
}
