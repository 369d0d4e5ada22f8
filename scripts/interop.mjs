// npm run test:interop: tests the built program with MCP servers of other vendors, which are fetched once into a cache
// folder (docs/interop.md).
//   npm run test:interop -- fastmcp           only those whose name has one of the words; some run only when named
//   npm run test:interop -- --dist FOLDER     a build other than dist/
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildAll } from './build.mjs';
import { waitForInterruption } from './interruption.mjs';
import { ensureModules, runCommand } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');
const { values, positionals: words } = parseArgs({ options: { dist: { type: 'string' } }, allowPositionals: true });

await runCommand(async () => {
  await ensureModules();
  const interruption = waitForInterruption();
  // The peers end with this process.
  void interruption.signalled.then((code) => process.exit(code));
  try {
    if (!values.dist) await buildAll({ ifStale: true });
    return await runCases();
  } finally {
    interruption.stopWaiting();
    // A job that hung may have left something running.
    setTimeout(() => process.exit(), 5_000).unref();
  }
});

/** Vite runs the TypeScript of the fixtures, as in npm run demo. */
async function runCases() {
  const { createServer } = await import('vite');
  const vite = await createServer({
    root,
    configFile: false,
    appType: 'custom',
    logLevel: 'error',
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
  });
  try {
    const { runInterop } = await vite.ssrLoadModule(path.join(root, 'test', 'interop', 'run.mjs'));
    return await runInterop({
      words,
      program: path.resolve(values.dist ?? path.join(root, 'dist'), 'keybridge.cjs'),
      log: console.log,
    });
  } finally {
    await vite.close();
  }
}
