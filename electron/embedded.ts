// The beginning of the single executable (scripts/single-executable.mjs): runs the command line out of the executable
// itself. Nothing that lies beside it is run, but for keytar's native library, which is checked first.
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { getAsset } from 'node:sea';
import { compileFunction } from 'node:vm';

const folder = path.dirname(process.execPath);
const loaded = new Map<string, { exports: unknown }>();

/** What `require` gives in the files that are part of the executable: Node's own modules and each other. */
function load(id: string): unknown {
  if (isBuiltin(id)) return require(id) as unknown;
  if (id.endsWith('.node')) return loadNative();
  const name = id === 'keytar' ? 'keytar.js' : path.posix.normalize(id);
  const before = loaded.get(name);
  if (before) return before.exports;
  const module = { exports: {} };
  loaded.set(name, module);
  const code = compileFunction(getAsset(name, 'utf8'), ['exports', 'require', 'module', '__filename', '__dirname'], {
    filename: name,
  }) as (...args: unknown[]) => void;
  code.call(module.exports, module.exports, load, module, path.join(folder, name), folder);
  return module.exports;
}

/** A native library can only be loaded from a file. Throws when it is not the one that this program was made with. */
function loadNative(): unknown {
  const file = path.join(folder, 'keytar.node');
  const expected = Buffer.from(getAsset('keytar.node.sha256', 'utf8'), 'hex');
  const found = createHash('sha256').update(readFileSync(file)).digest();
  if (!timingSafeEqual(found, expected)) throw new Error('keytar.node is not the file that belongs to this program.');
  const module = { exports: {} };
  process.dlopen(module, file);
  return module.exports;
}

load('keybridge.cjs');
