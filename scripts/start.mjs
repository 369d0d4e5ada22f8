// npm start: runs the app from a checkout, for daily use. Arguments go to the app (--hidden starts it without a
// window).
import path from 'node:path';
import { needDisplay, startApp } from './app-process.mjs';
import { buildAll } from './build.mjs';
import { ensureElectron } from './electron-runtime.mjs';
import { runCommand, setUp } from './setup.mjs';

const root = path.join(import.meta.dirname, '..');

await runCommand(async () => {
  await setUp({ electron: true });
  const electron = await ensureElectron();
  await buildAll({ ifStale: true });
  needDisplay();
  if (electron.kind === 'development') {
    console.error(
      `This is a development runtime (Electron ${electron.version}), not the one that ships. ` +
        'Do not use it for daily work.',
    );
  }
  const app = await startApp(electron, [root, ...process.argv.slice(2)]);
  // An interruption of this process lets the app quit in order.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => app.kill(signal));
  return new Promise((resolve, reject) => {
    app.on('error', reject);
    app.on('exit', (code) => resolve(code ?? 1));
  });
});
