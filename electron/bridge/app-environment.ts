import { addressOf, ownBusSocket } from '../core/vault/secret-service/bus-address.ts';
import { checkFolder } from '../local-socket/data-folder.ts';

/** By platform, what a desktop app needs to find the user's session, folders and language. Compared in upper case. */
const everywhere = ['PATH', 'HOME', 'LANG', 'LANGUAGE', 'USER', 'LOGNAME', 'SHELL', 'TZ', 'TMPDIR'];
const linux = [
  'DISPLAY WAYLAND_DISPLAY XAUTHORITY DBUS_SESSION_BUS_ADDRESS DESKTOP_SESSION',
  'XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_STATE_HOME XDG_CONFIG_DIRS XDG_DATA_DIRS',
  'XDG_CURRENT_DESKTOP XDG_SESSION_DESKTOP XDG_SESSION_TYPE XDG_SESSION_CLASS XDG_SESSION_ID XDG_SEAT XDG_VTNR',
].flatMap((line) => line.split(' '));
const darwin = ['__CF_USER_TEXT_ENCODING'];
const windows = [
  'SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT TEMP TMP USERNAME USERDOMAIN USERPROFILE HOMEDRIVE HOMEPATH',
  'APPDATA LOCALAPPDATA',
  'ALLUSERSPROFILE PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86) PROGRAMW6432',
  'COMMONPROGRAMFILES PUBLIC COMPUTERNAME SESSIONNAME',
  'NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE OS',
].flatMap((line) => line.split(' '));
const named = new Set([...everywhere, ...linux, ...darwin, ...windows]);

const isAllowed = (name: string): boolean => named.has(name) || /^LC_[A-Z]+$/.test(name);

/** On a display of another machine, the person would type client secrets into a window there. */
const isLocalDisplay = (value: string): boolean => /^(?:unix|localhost|127\.0\.0\.1)?:\d+(?:\.\d+)?$/.test(value);

/** A value that would lead the app out of this user's session is left out; undefined. */
const checks: Readonly<Record<string, (value: string) => string | undefined>> = {
  // Whoever holds the bus reads what goes to the keychain.
  DBUS_SESSION_BUS_ADDRESS: (value) => {
    const socket = ownBusSocket(value);
    return socket === undefined ? undefined : addressOf(socket);
  },
  // The bus is looked for in it, and the broker's socket may lie in it.
  XDG_RUNTIME_DIR: (value) => (checkFolder(value).kind === 'fine' ? value : undefined),
  DISPLAY: (value) => (isLocalDisplay(value) ? value : undefined),
};

/**
 * The environment of the app when a bridge starts it. The host's is that of one entry in a configuration, which may
 * hold other servers' secrets, switches that make an Electron app something else (ELECTRON_RUN_AS_NODE, NODE_OPTIONS,
 * LD_PRELOAD), another proxy or other authorities, and settings of Keybridge itself. The app serves all hosts, so such
 * an entry decides nothing but the data folder: what is not in the list above the app gets from the session that it is
 * started in by the person, or not at all.
 */
export function appEnvironment(
  env: NodeJS.ProcessEnv,
  dataDir: string,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const upper = name.toUpperCase();
    const check = platform === 'linux' ? checks[upper] : undefined;
    const kept = value !== undefined && isAllowed(upper) ? (check ? check(value) : value) : undefined;
    if (kept !== undefined) clean[name] = kept;
  }
  return { ...clean, KEYBRIDGE_DATA_DIR: dataDir };
}

/** Whether an app that a bridge starts can show a window. */
export function hasDisplay(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean {
  return (
    platform === 'win32' ||
    platform === 'darwin' ||
    isLocalDisplay(env['DISPLAY'] ?? '') ||
    Boolean(env['WAYLAND_DISPLAY'])
  );
}
