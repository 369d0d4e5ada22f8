// npm run demo: a real authorization server and a real MCP server on this computer, and the app on them.
//   --auto   drives itself, prints each step as it happens, exit 0 only if each really happened.
// Without a display it always drives itself, on a screen that nobody sees.
import path from 'node:path';
import { buildAll } from './build.mjs';
import { ensureElectron } from './electron-runtime.mjs';
import { secretServiceRuns } from './private-keyring.mjs';
import { runCommand, setUp } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');
const noDisplay = process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY;
const auto = process.argv.includes('--auto') || noDisplay;

await runCommand(async () => {
  const noKeyring = process.platform === 'linux' && !(await secretServiceRuns());
  await setUp({ electron: true, display: noDisplay, keyring: noKeyring });
  const electron = await ensureElectron();
  await buildAll({ ifStale: true });
  // Vite runs the TypeScript of the demo and its servers; nothing of it is part of the product.
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
    const { runDemo } = await vite.ssrLoadModule(path.join(root, 'test', 'demo', 'demo.ts'));
    return await runDemo({ root, auto, noDisplay, noKeyring, electron });
  } finally {
    await vite.close();
  }
});
// What was interrupted may still wait for something.
if (Number(process.exitCode) > 128) process.exit();
