// Compiles the catalogue (shared/messages) into functions, so that a build needs no parser for ICU MessageFormat.
import path from 'node:path';
import MessageFormat from '@messageformat/core';
// @ts-expect-error -- this file of the package has no declaration where it lies
import compileModule from '@messageformat/core/compile-module.js';

const folder = path.join(import.meta.dirname, '..', 'shared', 'messages');
const format = new MessageFormat('en', { returnType: 'values' });

/**
 * Each file of the catalogue exports one object of texts and imports nothing.
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
 * Texts without values stay strings.
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
