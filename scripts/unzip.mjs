import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/**
 * Unpacks the files of a zip archive to the paths that `pathOf` returns for their names; undefined leaves a file out.
 * Keeps Unix modes. yauzl rejects absolute names and names that lead out of `target`.
 * @param {string} archive
 * @param {string} target
 * @param {(name: string) => string | undefined} pathOf
 */
export async function unzip(archive, target, pathOf) {
  // Not a static import, because test.mjs and start.mjs load this file before the node modules are installed.
  const { default: yauzl } = await import('yauzl');
  const zip = await yauzl.openPromise(archive);
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName.endsWith('/') ? undefined : pathOf(entry.fileName);
    if (name === undefined) continue;
    const file = path.join(target, name);
    await mkdir(path.dirname(file), { recursive: true });
    const mode = (entry.externalFileAttributes >>> 16) & 0o777;
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(file, { mode: mode || 0o644 }));
  }
}
