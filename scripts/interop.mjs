// npm run test:interop: the built program against MCP servers of other makers, which are fetched once into a cache folder. docs/interop.md
//   npm run test:interop -- fastmcp     only those whose name has one of the words
import path from 'node:path';
import { buildAll } from './build.mjs';
import { ensureModules, runCommand } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');

// The peers end with this program's end.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

await runCommand(async () => {
  await ensureModules();
  await buildAll({ ifStale: true });
  // Vite runs the TypeScript of the fixtures, as in npm run demo.
  const { createServer } = await import('vite');
  const vite = await createServer({ root, configFile: false, appType: 'custom', logLevel: 'error', server: { middlewareMode: true, hmr: false, ws: false, watch: null }, optimizeDeps: { noDiscovery: true } });
  try {
    const { runInterop } = await vite.ssrLoadModule(path.join(root, 'test', 'interop', 'run.mjs'));
    return await runInterop({ words: process.argv.slice(2), program: path.join(root, 'dist', 'keybridge.cjs'), log: console.log });
  } finally {
    await vite.close();
  }
});
