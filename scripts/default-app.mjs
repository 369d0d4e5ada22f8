// The start-up app of the stand-in runtime: does what a stock Electron does with `electron PATH`. As there, Electron
// becomes ready only after the app's code has been loaded.
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { app } from 'electron';

const require = createRequire(import.meta.url);

const args = process.argv.slice(1);
// Electron's own start-up app calls these functions, which electron.d.ts does not declare.
const startup = /** @type {Electron.App & { setVersion(v: string): void, setAppPath(p: string): void }} */ (app);
let target;
for (let arg = args.shift(); arg !== undefined && target === undefined; arg = args.shift()) {
  // Playwright loads its start-up code this way.
  if (arg === '-r' || arg === '--require') require(path.resolve(args.shift() ?? ''));
  else if (!arg.startsWith('-')) target = path.resolve(arg);
}
if (!target) {
  console.error('usage: electron PATH');
  process.exit(2);
}
Object.assign(process, { defaultApp: true });

let entry = target;
if (statSync(target).isDirectory()) {
  const about = JSON.parse(readFileSync(path.join(target, 'package.json'), 'utf8'));
  app.setName(about.productName ?? about.name);
  if (about.version) startup.setVersion(about.version);
  app.setDesktopName(`${about.name}.desktop`);
  startup.setAppPath(target);
  entry = path.join(target, about.main ?? 'index.js');
} else {
  startup.setAppPath(path.dirname(target));
}
try {
  await import(pathToFileURL(entry).href);
} catch (error) {
  console.error(error);
  process.exit(1);
}
