// What a stock Electron does with `electron PATH`, for the stand-in runtime, whose own start-up app is left out.
// As there, Electron is not "ready" before the app's own code has been loaded.
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { app } from 'electron';

const require = createRequire(import.meta.url);

const args = process.argv.slice(1);
let target;
for (let index = 0; index < args.length; index++) {
  // Playwright loads its own start-up code this way.
  if (args[index] === '-r' || args[index] === '--require') require(path.resolve(args[++index]));
  else if (!args[index].startsWith('-')) {
    target = path.resolve(args[index]);
    break;
  }
}
if (!target) {
  console.error('usage: electron PATH');
  process.exit(2);
}
process.defaultApp = true;

let entry = target;
if (statSync(target).isDirectory()) {
  const about = JSON.parse(readFileSync(path.join(target, 'package.json'), 'utf8'));
  app.setName(about.productName ?? about.name);
  if (about.version) app.setVersion(about.version);
  app.setDesktopName(`${about.name}.desktop`);
  app.setAppPath(target);
  entry = path.join(target, about.main ?? 'index.js');
} else {
  app.setAppPath(path.dirname(target));
}
try {
  await import(pathToFileURL(entry).href);
} catch (error) {
  console.error(error);
  process.exit(1);
}
