import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { startBackground, until } from '../../scripts/background.mjs';
import { startPrivateDisplay } from '../../scripts/private-display.mjs';
import { startPrivateBus, startPrivateKeyring } from '../../scripts/private-keyring.mjs';

const exec = promisify(execFile);

/** A private desktop: screen, window manager, panel with a tray, session bus and keyring. */
export interface DesktopSession {
  readonly display: string;
  readonly busAddress: string;
  /** The environment of a program on this desktop. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes the whole screen to a PNG file. */
  screenshot(file: string): Promise<void>;
  stop(): Promise<void>;
}

/** `tray: false` starts no panel, so that there is no tray. */
export async function startDesktopSession({ tray = true } = {}): Promise<DesktopSession> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const one of stops.splice(0).toReversed()) await one();
  };
  try {
    const screen = await startPrivateDisplay();
    stops.push(() => screen.stop());
    const bus = await startPrivateBus({ services: true });
    stops.push(() => bus.stop());
    const keyring = await startPrivateKeyring({ bus });
    stops.push(() => keyring.stop());
    const env = { ...strings(bus.env), DISPLAY: screen.display, NO_AT_BRIDGE: '1', XDG_CURRENT_DESKTOP: 'XFCE' };
    await writePanelSettings(bus.env.XDG_CONFIG_HOME);
    for (const [command, ...args] of [['openbox'], ...(tray ? [['xfce4-panel', '--disable-wm-check']] : [])] as [
      string,
      ...string[],
    ][]) {
      const program = startBackground(command, args, { env });
      stops.push(() => program.stop());
    }
    // Electron falls back to an icon without a D-Bus menu if there is no watcher when the app starts.
    if (tray) await until('the panel', () => hasOwner(bus.address, 'org.kde.StatusNotifierWatcher'), 20_000);
    return {
      display: screen.display,
      busAddress: bus.address,
      env,
      screenshot: (file) => screen.screenshot(file),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function hasOwner(address: string, name: string): Promise<boolean> {
  const { stdout } = await exec('busctl', [
    `--address=${address}`,
    'call',
    'org.freedesktop.DBus',
    '/org/freedesktop/DBus',
    'org.freedesktop.DBus',
    'NameHasOwner',
    's',
    name,
  ]);
  return stdout.includes('true');
}

/** One panel at the top with a tray at its right end. Without settings the panel would ask in a dialog. */
async function writePanelSettings(config: string): Promise<void> {
  const folder = path.join(config, 'xfce4/xfconf/xfce-perchannel-xml');
  await mkdir(folder, { recursive: true });
  await writeFile(
    path.join(folder, 'xfce4-panel.xml'),
    `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array"><value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="30"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/><value type="int" value="2"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
`,
  );
}

function strings(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
