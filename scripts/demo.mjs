// npm run demo: starts a real authorization server, a real MCP server and the app on this computer.
//   --auto   runs through the main job, prints each step, and exits with 0 only if every step happened
// Without a display it always runs with --auto, on a private display.
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
  // Vite runs the TypeScript of the demo and its servers, which are not part of a build.
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
// After an interruption, timers may still be pending.
if (Number(process.exitCode) > 128) process.exit();
