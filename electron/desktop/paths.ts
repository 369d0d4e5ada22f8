import path from 'node:path';
import { app } from 'electron';
import { dataFolder, writePrivateFile } from '../local-socket/data-folder.ts';
import { packaged } from './build-flags.ts';

const built = import.meta.dirname;

/** Paths of the parts of the app, in a checkout and in a package. */
export const paths = {
  pages: path.join(built, 'renderer'),
  preload: path.join(built, 'preload.cjs'),
  keychain: path.join(built, 'keychain.cjs'),
  icons: path.join(built, '..', 'build'),
} as const;

type Command = readonly [string, ...string[]];

/** The command in a host's configuration. In a checkout it runs the Node that `npm start` names. */
export function bridgeCommand(): Command {
  if (packaged)
    return [
      path.join(process.resourcesPath, 'bin', process.platform === 'win32' ? 'keybridge.exe' : 'keybridge'),
      'connect',
    ];
  return [process.env['KEYBRIDGE_NODE'] ?? 'node', path.join(built, 'keybridge.cjs'), 'connect'];
}

/** The command with which a bridge starts this app hidden. An AppImage's mount ends with its process, so not that. */
function startCommand(): Command {
  if (packaged) return [process.env['APPIMAGE'] ?? process.execPath, '--hidden'];
  // Only if this process was started with it.
  const sandbox = app.commandLine.hasSwitch('no-sandbox') ? ['--no-sandbox'] : [];
  return [process.execPath, ...sandbox, path.dirname(built), '--hidden'];
}

/** The environment that a bridge needs to find this broker. Empty for the default data folder. */
export function bridgeEnv(dataDir: string): Record<string, string> {
  const { KEYBRIDGE_DATA_DIR: _, ...others } = process.env;
  return dataFolder(others) === dataDir ? {} : { KEYBRIDGE_DATA_DIR: dataDir };
}

/** Writes to the data folder how a bridge can start the app when it is not running. */
export function writeStartCommand(dataDir: string): void {
  const [command, ...args] = startCommand();
  writePrivateFile(path.join(dataDir, 'app.json'), JSON.stringify({ command, args }), { exclusive: false });
}
