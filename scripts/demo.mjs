// npm run demo: a real authorization server and a real MCP server on this computer, and the app on them.
//   --auto   drives itself, prints each step as it happens, exit 0 only if each really happened.
// Without a display it always drives itself, on a screen that nobody sees.
import path from 'node:path';
import { buildAll } from './build.mjs';
import { ensureElectron } from './electron-runtime.mjs';
import { ensureModules, ensureSystem, runCommand } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');
const noDisplay = process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY;
const auto = process.argv.includes('--auto') || noDisplay;

await runCommand(async () => {
  await ensureModules();
  await ensureSystem({ electron: true, display: noDisplay, keyring: true });
  const electron = await ensureElectron();
  await buildAll({ ifStale: true });
  // Vite runs the TypeScript of the demo and its servers; nothing of it is part of the product.
  const { runnerImport } = await import('vite');
  const { module } = await runnerImport(path.join(root, 'test', 'demo', 'demo.ts'), { root, configFile: false });
  return module.runDemo({ root, auto, noDisplay, electron });
});
