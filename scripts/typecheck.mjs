// Type-checks each folder with its own settings, so that shared/ cannot use Node and electron/ cannot use the DOM.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
const folders =
  process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['shared', 'electron', 'renderer', 'test', 'scripts'];

/** @type {(folder: string) => Promise<number>} */
const check = (folder) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [tsc, '-p', path.join(root, folder)], { cwd: root, stdio: 'inherit' });
    child.on('exit', (code) => resolve(code ?? 1));
  });

const codes = await Promise.all(folders.map(check));
process.exitCode = codes.some((code) => code !== 0) ? 1 : 0;
