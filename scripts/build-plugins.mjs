import path from 'node:path';

const root = path.join(import.meta.dirname, '..');

/**
 * Keeps `import('./cli-main.ts')` as a load of the built file at run time. A single executable (SEA) has no import(),
 * so imports of these files and of Node's modules become a require(), which electron/embedded.ts provides there.
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
      // No line moves, so the source map stays valid.
      return { code: replaced, map: null };
    },
  };
}

/**
 * Replaces page-source.ts by page-source.dev.ts. Other builds do not contain that file, nor a switch for it.
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
