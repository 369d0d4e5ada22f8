// Compiles the catalogue (shared/messages) when the program is built: a build ships functions, no parser of texts.
import path from 'node:path';
import MessageFormat from '@messageformat/core';
// @ts-expect-error -- this file of the package has no declaration where it lies
import compileModule from '@messageformat/core/compile-module.js';

const folder = path.join(import.meta.dirname, '..', 'shared', 'messages');
const format = new MessageFormat('en', { returnType: 'values' });

/**
 * A file of the catalogue imports nothing and exports one object of texts.
 * @returns {import('vite').Plugin}
 */
export function compiledMessages() {
  return {
    name: 'compiled-messages',
    async transform(code, id) {
      const file = path.relative(folder, path.normalize(id));
      if (file === 'compile.ts')
        return { code: `export const compile = () => { throw new Error('This text is not compiled.'); };`, map: null };
      if (!file.startsWith(`en${path.sep}`)) return null;
      const [exported, ...others] = Object.entries(await import(`data:text/javascript,${encodeURIComponent(code)}`));
      if (!exported || others.length > 0) throw new Error(`${id} has to export one object of texts.`);
      return { code: compiledModule(...exported), map: null };
    },
  };
}

/**
 * A text that takes no values stays a text.
 * @param {string} name
 * @param {Record<string, string>} texts
 */
function compiledModule(name, texts) {
  const entries = Object.entries(texts).map(([id, text]) => [id, text.replaceAll(/\s*\n\s*/g, ' ').trim()]);
  const takesValues = Object.fromEntries(entries.filter(([, text]) => text?.includes('{')));
  const fixed = Object.fromEntries(entries.filter(([, text]) => !text?.includes('{')));
  const code = String(compileModule(format, takesValues));
  return code.replace('export default {', `export const ${name} = { ...${JSON.stringify(fixed)},`);
}
