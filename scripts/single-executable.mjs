import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

/** The sentinel that postject looks for (nodejs.org/api/single-executable-applications.html). */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** The first major version of Node whose single executables can ignore NODE_OPTIONS and disable the inspector. */
const hardenedFrom = 24;
export const isHardened = (nodeVersion = process.versions.node) => Number(nodeVersion.split('.')[0]) >= hardenedFrom;

/**
 * Returns why no release can be made with this Node, or undefined if one can. An older Node obeys NODE_OPTIONS, with
 * which any program of the user could run code as Keybridge.
 * @param {{ electron: 'release' | 'development', nodeVersion?: string }} build electron: the kind of the one inside
 * @returns {string | undefined}
 */
export function releaseRefused({ electron, nodeVersion = process.versions.node }) {
  if (electron !== 'release' || isHardened(nodeVersion)) return undefined;
  return (
    `A release is made with Node ${hardenedFrom} or newer, not ${nodeVersion}: ` +
    'the command line inside would obey NODE_OPTIONS and open a debugger.'
  );
}

/**
 * Makes a single executable of the Node that runs this and all scripts. `keytar.node` lies beside it, and is loaded
 * only if its hash is the one inside. From Node 24 on, the executable ignores NODE_OPTIONS and opens no inspector.
 * @param {{ scripts: readonly string[], keytar: string, native: string, executable: string }} files scripts: the built
 *   .cjs files, `embedded.cjs` among them; keytar: the package's own JavaScript; native: its library for this platform
 */
export async function makeSingleExecutable({ scripts, keytar, native, executable }) {
  const work = await mkdtemp(path.join(os.tmpdir(), 'keybridge-sea-'));
  try {
    const blob = path.join(work, 'blob');
    const hash = path.join(work, 'hash');
    await writeFile(
      hash,
      createHash('sha256')
        .update(await readFile(native))
        .digest('hex'),
    );
    const hardened = isHardened() ? { execArgv: ['--disable-sigusr1'], execArgvExtension: 'none' } : {};
    const config = {
      main: scripts.find((file) => path.basename(file) === 'embedded.cjs'),
      assets: {
        ...Object.fromEntries(scripts.map((file) => [path.basename(file), file])),
        'keytar.js': keytar,
        'keytar.node.sha256': hash,
      },
      output: blob,
      disableExperimentalSEAWarning: true,
      ...hardened,
    };
    await writeFile(path.join(work, 'sea.json'), JSON.stringify(config));
    run(process.execPath, ['--experimental-sea-config', path.join(work, 'sea.json')]);
    await copyFile(native, path.join(path.dirname(executable), 'keytar.node'));
    await copyFile(process.execPath, executable);
    await chmod(executable, 0o755);
    // Symbols are a fifth of the file. Not later, because strip would remove the injected scripts.
    if (process.platform === 'linux') spawnSync('strip', [executable], { stdio: 'ignore' });
    if (process.platform === 'darwin') run('codesign', ['--remove-signature', executable]);
    const macho = process.platform === 'darwin' ? ['--macho-segment-name', 'NODE_SEA'] : [];
    const postject = createRequire(import.meta.url).resolve('postject/dist/cli.js');
    run(process.execPath, [postject, executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse, ...macho]);
    if (process.platform === 'darwin') run('codesign', ['--sign', '-', executable]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${path.basename(command)} failed: ${error?.message ?? stderr}`);
}
