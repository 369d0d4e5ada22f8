import path from 'node:path';

const root = path.join(import.meta.dirname, '..');

/**
 * `import('./cli-main.ts')` stays a load at run time, of the file beside this one. A single executable (SEA) has no
 * import(): both kinds of import() become a require(), which electron/embedded.ts answers there.
 * @param {string[]} sources
 * @returns {import('vite').Plugin}
 */
export function filesOnDemand(sources) {
  const fileOf = new Map(sources.map((source) => [path.join(root, source), `./${path.basename(source, '.ts')}.cjs`]));
  return {
    name: 'files-on-demand',
    enforce: 'pre',
    resolveDynamicImport(specifier, importer) {
      const file =
        typeof specifier === 'string' && importer
          ? fileOf.get(path.resolve(path.dirname(importer), specifier))
          : undefined;
      return file ? { id: file, external: true } : null;
    },
    renderChunk(code) {
      const replaced = code.replaceAll(
        /\bimport\(([`'"](?:\.\/[a-z-]+\.cjs|node:[a-z_/]+)[`'"])\)/g,
        'Promise.resolve().then(()=>require($1))',
      );
      // The lines stay as they are, which is all that the source map needs.
      return { code: replaced, map: null };
    },
  };
}

/**
 * Takes page-source.dev.ts for page-source.ts. No other build has it, nor a switch that would turn it on.
 * @returns {import('vite').Plugin}
 */
export function developmentPages() {
  return {
    name: 'development-pages',
    enforce: 'pre',
    resolveId(specifier, importer) {
      if (importer === undefined || path.basename(specifier) !== 'page-source.ts') return null;
      return path.resolve(path.dirname(importer), path.dirname(specifier), 'page-source.dev.ts');
    },
  };
}
