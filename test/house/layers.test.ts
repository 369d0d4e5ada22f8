import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');

/** What each part may import, besides itself: folders or files of the project, and packages. First match counts. */
const layers: readonly {
  readonly part: string;
  readonly may: readonly string[];
  readonly packages: readonly string[];
}[] = [
  // What the bridge loads: no packages.
  {
    part: 'shared/json-rpc.ts',
    may: [
      'shared/local-protocol.ts',
      'shared/errors.ts',
      'shared/json-rpc-form.ts',
      'shared/json-scan.ts',
      'shared/json.ts',
    ],
    packages: [],
  },
  { part: 'shared/json-rpc-form.ts', may: ['shared/json-scan.ts'], packages: [] },
  { part: 'shared/json-scan.ts', may: ['shared/json.ts'], packages: [] },
  { part: 'shared/json.ts', may: [], packages: [] },
  { part: 'shared/lines.ts', may: [], packages: [] },
  { part: 'shared/errors.ts', may: [], packages: [] },
  { part: 'shared/messages/en/bridge-remedies.ts', may: [], packages: [] },
  { part: 'shared/local-protocol.ts', may: [], packages: [] },
  // Only tests and scripts that run from source load the compiler of texts: a build replaces this file.
  { part: 'shared/messages/compile.ts', may: [], packages: ['@messageformat/core'] },
  { part: 'shared/messages/en/', may: [], packages: [] },
  { part: 'shared/', may: [], packages: ['zod'] },
  // The bridge loads these two.
  { part: 'electron/local-socket/own-socket.ts', may: [], packages: ['node:'] },
  {
    part: 'electron/core/vault/secret-service/bus-address.ts',
    may: ['electron/local-socket/own-socket.ts'],
    packages: ['node:'],
  },
  {
    part: 'electron/core/',
    may: ['shared/', 'electron/local-socket/'],
    packages: ['node:', 'zod', 'undici', 'openid-client', 'oauth4webapi', 'jose', 'tldts'],
  },
  {
    part: 'electron/local-socket/handshake.ts',
    may: [
      'electron/local-socket/data-folder.ts',
      'shared/local-protocol.ts',
      'shared/errors.ts',
      'shared/messages/en/bridge-remedies.ts',
      'shared/json.ts',
    ],
    packages: ['node:'],
  },
  { part: 'electron/local-socket/data-folder.ts', may: [], packages: ['node:'] },
  {
    part: 'electron/local-socket/process-lock.ts',
    may: ['electron/local-socket/data-folder.ts', 'electron/local-socket/socket-lock.ts'],
    packages: ['node:'],
  },
  {
    part: 'electron/local-socket/socket-lock.ts',
    may: [
      'electron/local-socket/data-folder.ts',
      'electron/local-socket/process-lock.ts',
      'electron/local-socket/own-socket.ts',
    ],
    packages: ['node:'],
  },
  { part: 'shared/mcp-methods.ts', may: [], packages: [] },
  {
    part: 'electron/broker/',
    may: ['shared/', 'electron/core/', 'electron/local-socket/', 'electron/relay/'],
    packages: ['node:', 'zod'],
  },
  { part: 'electron/relay/', may: ['shared/', 'electron/core/'], packages: ['node:', 'zod'] },
  { part: 'electron/platform/', may: ['shared/', 'electron/core/', 'electron/no-debugger.ts'], packages: ['node:'] },
  {
    part: 'electron/bridge',
    may: [
      'electron/bridge',
      'electron/no-debugger.ts',
      'electron/local-socket/handshake.ts',
      'electron/local-socket/data-folder.ts',
      'electron/local-socket/process-lock.ts',
      'electron/local-socket/socket-lock.ts',
      'shared/mcp-methods.ts',
      'electron/local-socket/own-socket.ts',
      'electron/core/vault/secret-service/bus-address.ts',
      'shared/local-protocol.ts',
      'shared/json-rpc.ts',
      'shared/json-scan.ts',
      'shared/json.ts',
      'shared/lines.ts',
      'shared/errors.ts',
      'shared/messages/en/bridge-remedies.ts',
    ],
    packages: ['node:'],
  },
  { part: 'electron/no-debugger.ts', may: [], packages: [] },
  { part: 'electron/embedded.ts', may: [], packages: ['node:'] },
  {
    part: 'electron/keychain.ts',
    may: ['electron/no-debugger.ts', 'electron/core/vault/', 'shared/'],
    packages: ['node:', 'keytar', 'zod'],
  },
  {
    part: 'electron/desktop/',
    may: ['shared/', 'electron/core/', 'electron/local-socket/', 'electron/broker/', 'electron/platform/'],
    packages: ['node:', 'electron', 'zod'],
  },
  { part: 'electron/main.ts', may: ['shared/', 'electron/'], packages: ['node:', 'electron'] },
  { part: 'electron/preload.ts', may: ['shared/'], packages: ['electron'] },
  {
    part: 'electron/',
    may: [
      'shared/',
      'electron/core/',
      'electron/broker/',
      'electron/bridge',
      'electron/cli',
      'electron/command-line/',
      'electron/headless.ts',
      'electron/local-socket/',
      'electron/no-debugger.ts',
      'electron/platform/',
    ],
    packages: ['node:', 'zod'],
  },
  { part: 'renderer/', may: ['shared/'], packages: ['react', 'react-dom'] },
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

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const found = [
    ...text.matchAll(
      /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)|\brequire\('([^']+)'\)/gm,
    ),
  ];
  return found.map((match) => ({
    from: file,
    to: resolve(file, match[2] ?? match[3] ?? match[4] ?? ''),
    typeOnly: match[1] !== undefined,
  }));
}

const resolve = (file: string, specifier: string): string =>
  specifier.startsWith('.') ? path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier)) : specifier;

const files = ['shared', 'electron', 'renderer'].flatMap(sources);
const imports = files.flatMap(importsOf);

function violation({ from, to, typeOnly }: Import): string | undefined {
  const layer = layers.find(({ part }) => from.startsWith(part));
  if (!layer) return `${from} belongs to no layer`;
  const inside = layer.part.endsWith('/') && to.startsWith(layer.part);
  const ofProject = /^(shared|electron|renderer|test|scripts)\//.test(to);
  if (ofProject && typeOnly && (to.startsWith('shared/') || layer.may.some((part) => to.startsWith(part))))
    return undefined;
  const allowed = ofProject
    ? inside || layer.may.some((part) => to.startsWith(part))
    : layer.packages.some(
        (name) => to === name || (name === 'node:' ? to.startsWith(name) : to.startsWith(`${name}/`)),
      ) || to.endsWith('.css');
  return allowed ? undefined : `${from} imports ${to}`;
}

describe('layers', () => {
  it('found the source files', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(50);
  });

  it('imports go one way', () => {
    expect(imports.flatMap((one) => violation(one) ?? [])).toEqual([]);
  });

  it('the rules refuse what they should', () => {
    const one = (from: string, to: string) => violation({ from, to, typeOnly: false });
    expect(one('electron/core/app/app.ts', 'electron')).toBeDefined();
    expect(one('electron/core/app/app.ts', 'electron/relay/relay.ts')).toBeDefined();
    expect(one('electron/bridge.ts', 'zod')).toBeDefined();
    expect(one('electron/bridge.ts', 'electron/core/base/errors.ts')).toBeDefined();
    expect(one('renderer/main.tsx', 'electron/core/app/app.ts')).toBeDefined();
    expect(one('shared/model.ts', 'node:fs')).toBeDefined();
    expect(one('electron/core/app/app.ts', 'electron/core/base/errors.ts')).toBeUndefined();
  });

  it('there is no default export, barrel or utils file', () => {
    expect(files.filter((file) => /(^|\/)(index|utils?|helpers?)\.tsx?$/.test(file))).toEqual([]);
    expect(files.filter((file) => /^export default/m.test(readFileSync(path.join(root, file), 'utf8')))).toEqual([]);
  });

  it('JSON is read in one place, which takes a byte order mark', () => {
    expect(files.filter((file) => /\bJSON\.parse\(/.test(readFileSync(path.join(root, file), 'utf8')))).toEqual([
      'shared/json.ts',
    ]);
  });

  it('only reveal() opens a secret, and only where one is used or stored', () => {
    const revealing = files.filter((file) => /\.reveal\(\)/.test(readFileSync(path.join(root, file), 'utf8')));
    const allowed = /^electron\/(core\/(base\/secret|oauth\/|vault\/|http\/(tls-material|tunnel)\.)|relay\/)/;
    expect(revealing.filter((file) => !allowed.test(file))).toEqual([]);
  });
});
