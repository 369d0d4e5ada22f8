// npm run decode-log -- FILE: prints a log or the stack of a crash with places in the sources instead of the built
// files. `-` reads from stdin.
//   --maps FOLDER     the source maps of the build that wrote it (default: dist/source-maps; those of a release are in
//                     release/source-maps-VERSION-PLATFORM-ARCH)
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { mapsFolder } from './build.mjs';
import { runCommand, SetupNeeded } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');

/** `main.js:10:7` as in stacks and logs, with or without folders before it. */
const place = /(?:[\w+.-]+:\/\/)?[^\s()"<>:]*?([\w.-]+\.c?js):(\d+):(\d+)/g;

await runCommand(async () => {
  const { values, positionals } = parseArgs({
    options: { maps: { type: 'string', default: path.join(root, 'dist', mapsFolder) } },
    allowPositionals: true,
  });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw new SetupNeeded('usage: npm run decode-log -- FILE [--maps FOLDER]');
  const maps = await readMaps(path.resolve(values.maps));
  const log = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  process.stdout.write(
    log.replaceAll(place, (all, name, line, column) => inSources(maps.get(name), line, column) ?? all),
  );
});

/**
 * Reads the maps of one build, by the name of the built file.
 * @param {string} folder
 * @returns {Promise<Map<string, SourceMap>>}
 */
async function readMaps(folder) {
  if (!existsSync(folder))
    throw new SetupNeeded(`There are no source maps in ${folder}. Run npm run build to create them.`);
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.map'));
  return new Map(
    await Promise.all(
      files.map(async (name) => {
        const map = new SourceMap(JSON.parse(await readFile(path.join(folder, name), 'utf8')));
        return /** @type {[string, SourceMap]} */ ([path.basename(name, '.map'), map]);
      }),
    ),
  );
}

/**
 * @param {SourceMap | undefined} map
 * @param {string} line 1-based
 * @param {string} column 1-based
 * @returns {string | undefined} `electron/main.ts:10:7`
 */
function inSources(map, line, column) {
  const origin = map?.findOrigin(Number(line), Number(column));
  if (!origin || !('fileName' in origin)) return undefined;
  // The folder of the build no longer exists. Without its part, this is the path from the root of the checkout.
  const file = origin.fileName.replace(/^(?:\.\.\/)+/, '');
  return `${file}:${origin.lineNumber}:${origin.columnNumber}`;
}
