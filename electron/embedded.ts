// Entry of the single executable (scripts/single-executable.mjs): runs the command line from the executable itself. No
// other file is run but keytar's native library, after a check.
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { getAsset } from 'node:sea';
import { compileFunction } from 'node:vm';

const folder = path.dirname(process.execPath);
const loaded = new Map<string, { exports: unknown }>();

/** The `require` of the files in the executable: they can load each other and Node's own modules. */
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

/**
 * Loads keytar.node from beside the executable, because a native library cannot be loaded from memory. Throws if its
 * hash is not the one in this build.
 */
function loadNative(): unknown {
  const file = path.join(folder, 'keytar.node');
  const expected = Buffer.from(getAsset('keytar.node.sha256', 'utf8'), 'hex');
  const hash = createHash('sha256').update(readFileSync(file)).digest();
  if (!timingSafeEqual(hash, expected)) throw new Error('keytar.node does not belong to this program.');
  const module = { exports: {} };
  process.dlopen(module, file);
  return module.exports;
}

load('keybridge.cjs');
