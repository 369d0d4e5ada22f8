import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

// A fresh machine has tar but often no unzip, so the few records of the format (APPNOTE 4.3) are read here.
const endRecord = 0x06054b50;
const entryRecord = 0x02014b50;
const stored = 0;

/**
 * Unpacks the files of a zip archive (no zip64, no encryption) whose name `wanted` maps to a path; undefined leaves one
 * out. Unix modes are kept. The archive is trusted: check its hash before.
 * @param {string} archive
 * @param {string} target
 * @param {(name: string) => string | undefined} wanted
 */
export async function unzip(archive, target, wanted) {
  const file = await open(archive);
  try {
    for (const entry of await directory(file)) {
      const name = entry.name.endsWith('/') ? undefined : wanted(entry.name);
      if (name !== undefined) await extract(archive, file, entry, path.join(target, name));
    }
  } finally {
    await file.close();
  }
}

async function directory(file) {
  const { size } = await file.stat();
  const tail = await bytes(file, Math.max(0, size - 65_557), Math.min(size, 65_557));
  const at = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (at < 0 || tail.readUInt32LE(at) !== endRecord) throw new Error('not a zip archive');
  const records = await bytes(file, tail.readUInt32LE(at + 16), tail.readUInt32LE(at + 12));
  const entries = [];
  for (let from = 0; from < records.length && records.readUInt32LE(from) === entryRecord;) {
    const nameLength = records.readUInt16LE(from + 28);
    entries.push({
      name: records.toString('utf8', from + 46, from + 46 + nameLength),
      method: records.readUInt16LE(from + 10),
      size: records.readUInt32LE(from + 20),
      mode: (records.readUInt32LE(from + 38) >>> 16) & 0o777,
      offset: records.readUInt32LE(from + 42),
    });
    from += 46 + nameLength + records.readUInt16LE(from + 30) + records.readUInt16LE(from + 32);
  }
  return entries;
}

async function extract(archive, file, { method, size, mode, offset }, to) {
  const head = await bytes(file, offset, 30);
  const start = offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
  await mkdir(path.dirname(to), { recursive: true });
  const out = createWriteStream(to, { mode: mode || 0o644 });
  if (size === 0) return void out.end();
  const packed = createReadStream(archive, { start, end: start + size - 1 });
  await (method === stored ? pipeline(packed, out) : pipeline(packed, createInflateRaw(), out));
}

async function bytes(file, position, length) {
  const buffer = Buffer.alloc(length);
  await file.read(buffer, 0, length, position);
  return buffer;
}
