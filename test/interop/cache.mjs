import { rmSync } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { ensurePackages } from '../../scripts/cache.mjs';
import { notFetched } from './missing.mjs';

const peers = path.join(import.meta.dirname, 'peers');

/**
 * The peers of the npm registry, verified against peers/package-lock.json. Throws Missing if they cannot be fetched.
 */
export function ensureNodePeers(log) {
  return ensurePackages('interop-npm', peers, () =>
    log('Fetching the peers of the npm registry (once, about 100 MB) ...'),
  ).catch(notFetched('The peers of the npm registry'));
}

/**
 * Copies the peers' programs beside the packages that they import, where Node finds them, until this process ends.
 * @returns {Promise<string>} the folder
 */
export async function placePrograms(folder) {
  const place = path.join(folder, `programs-${process.pid}`);
  process.once('exit', () => rmSync(place, { recursive: true, force: true }));
  await mkdir(place, { recursive: true });
  for (const name of await readdir(peers)) {
    if (name.endsWith('.mjs')) await copyFile(path.join(peers, name), path.join(place, name));
  }
  return place;
}
