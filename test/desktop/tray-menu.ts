import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** One item of a tray menu, as a panel sees it. */
export interface MenuLine {
  readonly id: number;
  readonly label: string;
  readonly separator: boolean;
  readonly enabled: boolean;
  readonly children: readonly MenuLine[];
}

export interface TrayItem {
  readonly pid: number;
  readonly tooltip: string;
  /** The pixels of the icon, as JSON. */
  readonly picture: string;
  menu(): Promise<MenuLine>;
  /** Clicks the item with this label. `under`: in the submenu whose label starts with this. */
  click(label: string, under?: string): Promise<void>;
  /** A left click on the icon. */
  activate(): Promise<void>;
}

const itemInterface = 'org.kde.StatusNotifierItem';
const menuInterface = 'com.canonical.dbusmenu';

/** Reads all tray icons of a session bus as a panel does (StatusNotifierItem, com.canonical.dbusmenu). */
export async function trayItems(busAddress: string): Promise<TrayItem[]> {
  const bus = createCaller(busAddress);
  const registered = (await bus([
    'get-property',
    'org.kde.StatusNotifierWatcher',
    '/StatusNotifierWatcher',
    'org.kde.StatusNotifierWatcher',
    'RegisteredStatusNotifierItems',
  ])) as string[];
  // An item that disappears while it is read is left out.
  const items = await Promise.all(registered.map((name) => readItem(bus, name).catch(() => undefined)));
  return items.filter((item) => item !== undefined);
}

type Caller = (args: readonly string[]) => Promise<unknown>;

function createCaller(address: string): Caller {
  return async (args) => {
    const { stdout } = await exec('busctl', [`--address=${address}`, '--json=short', ...args], { timeout: 10_000 });
    return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as { data: unknown }).data;
  };
}

async function readItem(bus: Caller, name: string): Promise<TrayItem> {
  const slash = name.indexOf('/');
  const owner = slash < 0 ? name : name.slice(0, slash);
  const place = slash < 0 ? '/StatusNotifierItem' : name.slice(slash);
  const property = (one: string) => bus(['get-property', owner, place, itemInterface, one]);
  const [pids, tooltip, pixmaps, menuPath] = await Promise.all([
    bus([
      'call',
      'org.freedesktop.DBus',
      '/org/freedesktop/DBus',
      'org.freedesktop.DBus',
      'GetConnectionUnixProcessID',
      's',
      owner,
    ]),
    property('ToolTip'),
    property('IconPixmap'),
    property('Menu'),
  ]);
  const menu = async () =>
    menuLine(
      (
        (await bus(['call', owner, String(menuPath), menuInterface, 'GetLayout', 'iias', '--', '0', '-1', '0'])) as [
          number,
          RawLine,
        ]
      )[1],
    );
  return {
    pid: (pids as [number])[0],
    tooltip: String((tooltip as unknown[])[2]),
    picture: JSON.stringify(pixmaps),
    menu,
    async click(label, under) {
      const root = await menu();
      const from = under === undefined ? root : root.children.find((line) => line.label.startsWith(under));
      const line = from && lines(from).find((one) => one.label === label);
      if (!line)
        throw new Error(
          `No menu line "${label}" in: ${lines(root)
            .map((one) => one.label)
            .join(' | ')}`,
        );
      await bus([
        'call',
        owner,
        String(menuPath),
        menuInterface,
        'Event',
        'isvu',
        String(line.id),
        'clicked',
        's',
        '',
        '0',
      ]);
    },
    activate: async () => void (await bus(['call', owner, place, itemInterface, 'Activate', 'ii', '0', '0'])),
  };
}

/** busctl's JSON for `(ia{sv}av)`. */
type RawLine = [number, Record<string, { data: unknown }>, { data: RawLine }[]];

function menuLine([id, properties, children]: RawLine): MenuLine {
  const { label = { data: '' }, type, enabled } = properties;
  return {
    id,
    // A single underscore marks a shortcut; a double one stands for an underscore.
    label: (label.data as string).replaceAll(/_(.)/g, '$1'),
    separator: type?.data === 'separator',
    enabled: enabled?.data !== false,
    children: children.map(({ data }) => menuLine(data)),
  };
}

export function lines(line: MenuLine): MenuLine[] {
  return [line, ...line.children.flatMap(lines)];
}
