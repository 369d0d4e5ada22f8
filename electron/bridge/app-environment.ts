import { busAddressOf, ownBusSocket } from '../core/vault/secret-service/bus-address.ts';
import { checkFolder } from '../local-socket/data-folder.ts';

/** Variables by which a desktop app finds the user's session, folders and language. Compared in upper case. */
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
const allowed = new Set([...everywhere, ...linux, ...darwin, ...windows]);

const isAllowed = (name: string): boolean => allowed.has(name) || /^LC_[A-Z]+$/.test(name);

/** Another machine's display would receive what the user types into the window, client secrets included. */
const isLocalDisplay = (value: string): boolean => /^(?:unix|localhost|127\.0\.0\.1)?:\d+(?:\.\d+)?$/.test(value);

/** Each returns the value for the app; undefined if it would lead the app out of this user's session. */
const checks: Readonly<Record<string, (value: string) => string | undefined>> = {
  // The owner of the bus can read what is sent to the keychain.
  DBUS_SESSION_BUS_ADDRESS: (value) => {
    const socket = ownBusSocket(value);
    return socket === undefined ? undefined : busAddressOf(socket);
  },
  // The app looks for the bus there, and may put the broker's socket there.
  XDG_RUNTIME_DIR: (value) => (checkFolder(value).kind === 'safe' ? value : undefined),
  DISPLAY: (value) => (isLocalDisplay(value) ? value : undefined),
};

/**
 * The environment for an app that a bridge starts. The bridge's own environment comes from one entry in a host's
 * configuration. It may hold secrets of other servers, variables that change what an Electron app does
 * (ELECTRON_RUN_AS_NODE, NODE_OPTIONS, LD_PRELOAD), a proxy, certificate authorities and settings of Keybridge. The app
 * serves all hosts, so one entry must not decide more than the data folder: only the variables above are passed on.
 */
export function appEnvironment(
  env: NodeJS.ProcessEnv,
  dataDir: string,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const passedOn: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const upperName = name.toUpperCase();
    if (value === undefined || !isAllowed(upperName)) continue;
    const check = platform === 'linux' ? checks[upperName] : undefined;
    const checkedValue = check ? check(value) : value;
    if (checkedValue !== undefined) passedOn[name] = checkedValue;
  }
  return { ...passedOn, KEYBRIDGE_DATA_DIR: dataDir };
}

/** Whether an app that is started with this environment can show a window. */
export function hasDisplay(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean {
  return (
    platform === 'win32' ||
    platform === 'darwin' ||
    isLocalDisplay(env['DISPLAY'] ?? '') ||
    Boolean(env['WAYLAND_DISPLAY'])
  );
}
