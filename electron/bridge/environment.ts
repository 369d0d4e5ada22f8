import { dataFolder } from '../broker/data-folder.ts';

/** By platform, what a desktop app needs to find the user's session, folders and language. Compared in upper case. */
const everywhere = ['PATH', 'HOME', 'LANG', 'LANGUAGE', 'USER', 'LOGNAME', 'SHELL', 'TZ', 'TMPDIR'];
const linux = ['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'DBUS_SESSION_BUS_ADDRESS', 'DESKTOP_SESSION'];
const darwin = ['__CF_USER_TEXT_ENCODING'];
const windows = [
  'SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT TEMP TMP USERNAME USERDOMAIN USERPROFILE HOMEDRIVE HOMEPATH APPDATA LOCALAPPDATA',
  'ALLUSERSPROFILE PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86) PROGRAMW6432 COMMONPROGRAMFILES PUBLIC COMPUTERNAME SESSIONNAME',
  'NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE OS',
].flatMap((line) => line.split(' '));
const named = new Set([...everywhere, ...linux, ...darwin, ...windows]);

const isAllowed = (name: string): boolean => named.has(name) || /^(?:XDG|LC|KEYBRIDGE)_/.test(name);
/** The app must not inherit what was meant for one command (KEYBRIDGE_CLIENT_SECRET). */
const isSecret = (name: string): boolean => /SECRET|PASSPHRASE|PASSWORD|TOKEN/.test(name);

/**
 * The environment of the app when a bridge starts it: not the host's, which may hold other servers' secrets and switches
 * that make an Electron app something else (ELECTRON_RUN_AS_NODE, NODE_OPTIONS, LD_PRELOAD).
 */
export function appEnvironment(env: NodeJS.ProcessEnv, dataDir: string): Record<string, string> {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const upper = name.toUpperCase();
    if (value !== undefined && isAllowed(upper) && !isSecret(upper)) clean[name] = value;
  }
  if (dataFolder(clean) !== dataDir) clean['KEYBRIDGE_DATA_DIR'] = dataDir;
  return clean;
}

/** Whether a window can be shown. */
export function hasDisplay(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean {
  return platform === 'win32' || platform === 'darwin' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
}
