import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');

interface Room {
  /** A folder without the rooms inside it, or a single file. */
  readonly room: string;
  /** The packages and Node modules (`node:`) that it may import. */
  readonly packages?: readonly string[];
  /** Rooms below it that it must not import. */
  readonly never?: readonly string[];
}

const node = ['node:'];
const nodeAndZod = ['node:', 'zod'];
const fronts = ['electron/relay', 'electron/command-line', 'electron/bridge'];

/** From the bottom up: a room may import itself and the rooms before it, types included. */
const rooms: readonly Room[] = [
  // Only tests and scripts that run from source load the compiler of texts: a build replaces this file.
  { room: 'shared/messages/compile.ts', packages: ['@messageformat/core'] },
  { room: 'shared', packages: ['zod'] },
  { room: 'renderer', packages: ['react', 'react-dom'] },
  { room: 'electron/no-debugger.ts' },
  { room: 'electron/core/base', packages: node },
  { room: 'electron/local-socket', packages: node, never: ['electron/core'] },
  { room: 'electron/core/http', packages: ['node:', 'undici', 'tldts'] },
  { room: 'electron/core/vault/secret-service', packages: node },
  { room: 'electron/core/vault', packages: nodeAndZod },
  { room: 'electron/core/servers', packages: nodeAndZod },
  { room: 'electron/core/hosts' },
  { room: 'electron/core/oauth', packages: nodeAndZod },
  { room: 'electron/core/oauth/providers', packages: ['zod'] },
  { room: 'electron/core/oauth/client-auth', packages: ['node:', 'zod', 'jose', 'oauth4webapi'] },
  { room: 'electron/core/oauth/discovery', packages: ['zod'] },
  { room: 'electron/core/oauth/token-endpoint', packages: ['zod', 'oauth4webapi'] },
  { room: 'electron/core/oauth/identity', packages: ['node:', 'zod', 'jose'] },
  { room: 'electron/core/oauth/registration', packages: nodeAndZod },
  { room: 'electron/core/oauth/tokens' },
  { room: 'electron/core/oauth/authorization', packages: ['node:', 'zod', 'openid-client', 'oauth4webapi'] },
  { room: 'electron/core/oauth/inspection', packages: ['zod', 'jose', 'oauth4webapi'] },
  { room: 'electron/core/oauth/enterprise', packages: node },
  { room: 'electron/core/oauth/grants', packages: ['jose'] },
  { room: 'electron/core/oauth/sign-in' },
  { room: 'electron/core/status' },
  { room: 'electron/core/step-up' },
  { room: 'electron/core/app' },
  { room: 'electron/keychain.ts', packages: ['node:', 'keytar'] },
  { room: 'electron/platform', packages: node },
  { room: 'electron/relay', packages: nodeAndZod, never: ['electron/platform'] },
  { room: 'electron/broker', packages: nodeAndZod, never: ['electron/platform'] },
  { room: 'electron/bridge', packages: node, never: ['electron/broker', 'electron/relay', 'electron/platform'] },
  { room: 'electron/bridge.ts', packages: node, never: ['electron/broker', 'electron/relay', 'electron/platform'] },
  { room: 'electron/headless.ts', packages: node },
  { room: 'electron/command-line', packages: node, never: ['electron/relay', 'electron/bridge'] },
  { room: 'electron/desktop/window', packages: ['node:', 'electron', 'zod'], never: fronts },
  { room: 'electron/desktop/tray', packages: ['node:', 'electron'], never: fronts },
  { room: 'electron/desktop', packages: ['node:', 'electron', 'zod'], never: ['electron/relay'] },
  { room: 'electron/preload.ts', packages: ['electron'], never: ['electron'] },
  { room: 'electron/main.ts', packages: ['node:', 'electron'] },
  { room: 'electron/cli-main.ts', packages: node, never: ['electron/desktop', 'electron/main.ts'] },
  { room: 'electron/cli.ts', never: ['electron/desktop', 'electron/main.ts'] },
  { room: 'electron/embedded.ts', packages: node },
];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx)$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}

const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

function importsOf(file: string): Import[] {
  const found = read(file).matchAll(
    /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)|\brequire\('([^']+)'\)/gm,
  );
  return [...found].map(([, typeOnly, ...specifiers]) => ({
    from: file,
    to: resolve(file, specifiers.find((specifier) => specifier !== undefined) ?? ''),
    typeOnly: typeOnly !== undefined,
  }));
}

const resolve = (file: string, specifier: string): string =>
  specifier.startsWith('.') ? path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier)) : specifier;

const files = ['shared', 'electron', 'renderer'].flatMap(sources);
const imports = files.flatMap(importsOf);
const ofProject = (to: string): boolean => /^(shared|electron|renderer)\//.test(to);

const lies = (file: string, room: string): boolean => file === room || file.startsWith(`${room}/`);

/** The innermost room. */
function placeOf(file: string): number {
  const depth = (at: number) => rooms[at]?.room.length ?? 0;
  const around = rooms.flatMap(({ room }, at) => (lies(file, room) ? [at] : []));
  return around.sort((one, other) => depth(other) - depth(one))[0] ?? -1;
}

function violation({ from, to }: Omit<Import, 'typeOnly'>): string | undefined {
  const at = placeOf(from);
  const { room, packages = [], never = [] } = rooms[at] ?? { room: '' };
  if (room === '') return `${from} lies in no room`;
  const wrong = `${from} imports ${to}`;
  if (!ofProject(to)) {
    const named = packages.some((name) => to === name || to.startsWith(name.endsWith(':') ? name : `${name}/`));
    return named || to.endsWith('.css') ? undefined : wrong;
  }
  const target = placeOf(to);
  if (target === at) return undefined;
  return target !== -1 && target < at && !never.some((other) => lies(to, other)) ? undefined : wrong;
}

/** Everything that a file loads, directly or indirectly. Types load nothing. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  for (const { from, to, typeOnly } of imports) {
    if (from !== file || typeOnly || seen.has(to)) continue;
    seen.add(to);
    if (ofProject(to)) loadedBy(to, seen);
  }
  return seen;
}

const packagesOf = (file: string): string[] =>
  [...loadedBy(file)].filter((name) => !ofProject(name) && !name.startsWith('node:')).sort();

/** The circles of a graph: each is given as the nodes on it. */
function circles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (name: string, way: readonly string[]): void => {
    const at = way.indexOf(name);
    if (at !== -1) return void found.push([...way.slice(at), name].join(' -> '));
    if (done.has(name)) return;
    for (const next of edges.get(name) ?? []) visit(next, [...way, name]);
    done.add(name);
  };
  for (const name of edges.keys()) visit(name, []);
  return found;
}

function graph(nameOf: (file: string) => string): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [one, other] = [nameOf(from), nameOf(to)];
    if (ofProject(to) && one !== other) edges.set(one, (edges.get(one) ?? new Set()).add(other));
  }
  return edges;
}

describe('layers', () => {
  it('cover the source files', () => {
    expect(files.length).toBeGreaterThan(200);
    expect(imports.length).toBeGreaterThan(1_000);
    expect(rooms.map(({ room }) => room).filter((room) => !existsSync(path.join(root, room)))).toEqual([]);
  });

  it('let a folder import only from layers below it, types included', () => {
    expect(imports.flatMap((one) => violation(one) ?? [])).toEqual([]);
  });

  it('let a room import only its packages', () => {
    const used = (at: number, name: string) =>
      imports.some(({ from, to }) => placeOf(from) === at && (to === name || to.startsWith(name)));
    const idle = rooms.flatMap(({ room, packages = [] }, at) =>
      packages.filter((name) => !used(at, name)).map((name) => `${room}: ${name}`),
    );
    expect(idle).toEqual([]);
  });

  it('have no circular imports between files or rooms, types included', () => {
    expect(circles(graph((file) => file))).toEqual([]);
    expect(circles(graph((file) => rooms[placeOf(file)]?.room ?? file))).toEqual([]);
  });

  it('report imports that break the rules', () => {
    const one = (from: string, to: string) => violation({ from, to });
    expect(one('electron/core/app/app.ts', 'electron')).toBeDefined();
    expect(one('electron/core/app/app.ts', 'electron/relay/relay.ts')).toBeDefined();
    expect(one('electron/core/oauth/tokens/refresh.ts', 'electron/core/app/app.ts')).toBeDefined();
    expect(one('electron/desktop/window/window.ts', 'electron/bridge/reconnect.ts')).toBeDefined();
    expect(one('electron/bridge.ts', 'zod')).toBeDefined();
    expect(one('electron/bridge.ts', 'electron/relay/relay.ts')).toBeDefined();
    expect(one('renderer/main.tsx', 'electron/core/app/app.ts')).toBeDefined();
    expect(one('shared/model.ts', 'node:fs')).toBeDefined();
    expect(one('electron/core/app/app.ts', 'electron/core/base/errors.ts')).toBeUndefined();
    expect(
      circles(
        new Map([
          ['one', new Set(['other'])],
          ['other', new Set(['one'])],
        ]),
      ),
    ).not.toEqual([]);
  });

  it('keep packages out of the bridge, which every host starts', () => {
    expect(loadedBy('electron/bridge.ts')).toContain('electron/local-socket/handshake.ts');
    expect(packagesOf('electron/bridge.ts')).toEqual([]);
  });

  it('keep all packages but keytar out of the keychain process', () => {
    expect(loadedBy('electron/keychain.ts')).toContain('electron/core/vault/keychain-protocol.ts');
    expect(packagesOf('electron/keychain.ts')).toEqual(['keytar']);
  });

  it('allow Electron only in the desktop rooms, main.ts and preload.ts', () => {
    for (const file of ['electron/headless.ts', 'electron/cli.ts', 'electron/cli-main.ts', 'electron/keychain.ts'])
      expect(packagesOf(file)).not.toContain('electron');
  });

  it('allow no default export, barrel or utils file', () => {
    expect(files.filter((file) => /(^|\/)(index|utils?|helpers?)\.tsx?$/.test(file))).toEqual([]);
    expect(files.filter((file) => /^export default/m.test(read(file)))).toEqual([]);
  });

  it('allow JSON.parse only in the reader that accepts a byte order mark', () => {
    expect(files.filter((file) => /\bJSON\.parse\(/.test(read(file)))).toEqual(['shared/json.ts']);
  });

  it('allow reveal() only where a secret is used or stored', () => {
    const revealing = files.filter((file) => /\.reveal\(\)/.test(read(file)));
    const allowed = /^electron\/(core\/(base\/secret|oauth\/|vault\/|http\/(tls-material|tunnel)\.)|relay\/)/;
    expect(revealing.filter((file) => !allowed.test(file))).toEqual([]);
  });
});
