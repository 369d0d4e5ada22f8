// Fuses are switches inside an Electron executable (electron/docs/tutorial/fuses.md).
import { open } from 'node:fs/promises';

const fuseSentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';

/** In the order of the fuse wire. */
const fuseNames = [
  'runAsNode',
  'cookieEncryption',
  'nodeOptions',
  'nodeCliInspect',
  'asarIntegrity',
  'onlyLoadAppFromAsar',
  'browserV8Snapshot',
  'fileProtocolExtraPrivileges',
];

/**
 * Finds the fuse wire: after the sentinel follow a version byte, a length byte, and '0' or '1' for each fuse.
 * @param {import('node:fs/promises').FileHandle} file
 */
async function findFuses(file) {
  const image = await file.readFile();
  const at = image.indexOf(fuseSentinel) + fuseSentinel.length;
  const count = image[at + 1];
  if (at < fuseSentinel.length || image[at] !== 1 || count === undefined)
    throw new Error('This Electron has no fuses of a known version.');
  return { first: at + 2, wire: image.subarray(at + 2, at + 2 + count) };
}

/**
 * Reads the fuses of an Electron executable, by name.
 * @param {string} executable
 * @returns {Promise<Record<string, boolean>>}
 */
export async function readFuses(executable) {
  const file = await open(executable, 'r');
  try {
    const { wire } = await findFuses(file);
    return Object.fromEntries(fuseNames.map((name, index) => [name, wire[index] === 0x31]));
  } finally {
    await file.close();
  }
}

/**
 * Changes some fuses of an Electron executable.
 * @param {string} executable
 * @param {Record<string, boolean>} fuses
 */
export async function setFuses(executable, fuses) {
  const file = await open(executable, 'r+');
  try {
    const { first } = await findFuses(file);
    for (const [name, on] of Object.entries(fuses)) await file.write(on ? '1' : '0', first + fuseNames.indexOf(name));
  } finally {
    await file.close();
  }
}
