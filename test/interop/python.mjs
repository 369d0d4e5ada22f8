import path from 'node:path';
import { ensureCached, run } from './cache.mjs';
import { Missing } from './missing.mjs';

export const pythonFastmcp = '4.1.0';

/**
 * Python FastMCP in a virtual environment of its own.
 * @returns {Promise<string>} the environment's python. Throws Missing where there is no Python that can make one.
 */
export async function ensurePythonPeer(log) {
  const version = await versionOf('python3');
  const folder = await ensureCached('python', `fastmcp==${pythonFastmcp} on ${version}`, async (place) => {
    log(`Fetching Python FastMCP ${pythonFastmcp} (once, about 150 MB)`);
    await run('python3', ['-m', 'venv', path.join(place, 'venv')]);
    await run(pythonIn(place), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `fastmcp==${pythonFastmcp}`]);
  });
  return pythonIn(folder);
}

const pythonIn = (folder) => path.join(folder, 'venv', process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

async function versionOf(python) {
  let text;
  try {
    text = await run(python, ['-c', 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])']);
  } catch {
    throw new Missing('there is no python3 with venv and pip here (Debian: python3-venv)');
  }
  const version = text.trim();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 3 || (major === 3 && minor < 10)) throw new Missing(`Python FastMCP needs Python 3.10 or newer, this is ${version}`);
  return version;
}
