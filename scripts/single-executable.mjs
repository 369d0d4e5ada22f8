import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'; // nodejs.org/api/single-executable-applications.html

/**
 * Makes a program of one file: the Node that runs this, with `script` (CommonJS, Node's own modules only) in it.
 * Node 24 and newer are told to take no options from the environment and to open no inspector on SIGUSR1; older ones cannot.
 * @param {{ script: string, executable: string }} files
 */
export async function makeSingleExecutable({ script, executable }) {
  const work = await mkdtemp(path.join(os.tmpdir(), 'keybridge-sea-'));
  try {
    const blob = path.join(work, 'blob');
    const hardened = Number(process.versions.node.split('.')[0]) >= 24 ? { execArgv: ['--disable-sigusr1'], execArgvExtension: 'none' } : {};
    await writeFile(path.join(work, 'sea.json'), JSON.stringify({ main: script, output: blob, disableExperimentalSEAWarning: true, ...hardened }));
    run(process.execPath, ['--experimental-sea-config', path.join(work, 'sea.json')]);
    await copyFile(process.execPath, executable);
    await chmod(executable, 0o755);
    // Symbols are a fifth of the file. Before the script goes in: strip would take that out again.
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

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${path.basename(command)} failed: ${error?.message ?? stderr}`);
}
