import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureCached, run } from '../../scripts/cache.mjs';
import { Missing, notFetched } from './missing.mjs';

export const pythonFastmcp = '4.1.0';

/** The version of each package that it depends on. */
const constraints = path.join(import.meta.dirname, 'peers', 'fastmcp-constraints.txt');

/**
 * Installs Python FastMCP in its own virtual environment.
 * @returns {Promise<string>} the environment's python. Throws Missing if there is no suitable Python or
 *   no FastMCP.
 */
export async function ensurePythonPeer(log) {
  const python = await pythonHere();
  const key = `fastmcp==${pythonFastmcp} on ${python}\n${await readFile(constraints, 'utf8')}`;
  const folder = await ensureCached('interop-python', key, async (place) => {
    log(`Fetching Python FastMCP ${pythonFastmcp} (once, about 150 MB) ...`);
    await run('python3', ['-m', 'venv', path.join(place, 'venv')]);
    await run(pythonIn(place), [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--no-cache-dir',
      '--disable-pip-version-check',
      '--constraint',
      constraints,
      `fastmcp==${pythonFastmcp}`,
    ]);
  }).catch(notFetched(`Python FastMCP ${pythonFastmcp}`));
  return pythonIn(folder);
}

const pythonIn = (folder) =>
  path.join(folder, 'venv', process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

/** Version and path of Python: a virtual environment only works with the Python that created it. */
async function pythonHere() {
  let text;
  try {
    text = await run('python3', [
      '-c',
      'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2], sys.base_prefix)',
    ]);
  } catch {
    throw new Missing('there is no python3 with venv and pip here (Debian: python3-venv)');
  }
  const [major = 0, minor = 0] = text.split(/[. ]/).map(Number);
  if (major < 3 || (major === 3 && minor < 10))
    throw new Missing(`Python FastMCP needs Python 3.10 or newer, this is ${major}.${minor}`);
  return text.trim();
}
