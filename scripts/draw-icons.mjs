// Draws the PNG files of build/ from build/icon.svg and the shapes below: `node scripts/draw-icons.mjs`. It starts
// itself again in Electron, whose canvas draws them. Run it after a change of the icon, and commit the files.
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const build = path.join(import.meta.dirname, '..', 'build');

const ring = 'M7.2 6.1a4.4 4.4 0 1 1 0 8.8 4.4 4.4 0 0 1 0-8.8Zm0 2.5a1.9 1.9 0 1 0 0 3.8 1.9 1.9 0 0 0 0-3.8Z';
const bit = [
  'M10.6 9.2H19.4q1.1 0 1.1 1.1V17q0 .8-.8.8h-1.2q-.8 0-.8-.8v-1.9a2 2 0 0 0-4 0V17q0 .8-.8.8h-1.2',
  'q-.8 0-.8-.8v-5.3h-.3Z',
].join('');
/** @param {string} colour */
const key = (colour) => `<path fill="${colour}" fill-rule="evenodd" d="${ring}"/><path fill="${colour}" d="${bit}"/>`;
/** @param {string} colour */
const tile = (colour) => `<rect x="1" y="1" width="22" height="22" rx="5.5" fill="${colour}"/>`;

/** @typedef {{ shape: string, colour: string, sign: string }} Badge */

/**
 * At the lower right of the tray icon: a shape for each state, cut out of the icon.
 * @type {Record<string, Badge>}
 */
const badges = {
  busy: {
    shape: '<circle cx="17" cy="17" r="6.5"/>',
    colour: '#1f5fb8',
    sign: `<g fill="#fff">${[13.6, 17, 20.4].map((x) => `<circle cx="${x}" cy="17" r="1.2"/>`).join('')}</g>`,
  },
  attention: {
    shape: '<path d="M16.5 9.4q.5-.8 1 0l6 11.6q.4.9-.6.9H11.1q-1 0-.6-.9Z"/>',
    colour: '#f0a500',
    sign: '<path d="M16.1 13.2h1.8l-.3 4.6h-1.2Zm0 5.7h1.8v1.7h-1.8Z" fill="#1c1300"/>',
  },
  retrying: {
    shape: '<rect x="10.5" y="10.5" width="13" height="13" rx="3.4"/>',
    colour: '#c2620a',
    sign:
      '<path d="M20.2 17a3.2 3.2 0 1 1-1.1-2.4" fill="none" stroke="#fff" stroke-width="1.5"/>' +
      '<path d="M20.9 12.6v3.1h-3.1Z" fill="#fff"/>',
  },
  'signed-out': {
    shape: '<circle cx="17" cy="17" r="6.5"/>',
    colour: '#5c6470',
    sign: '<rect x="13.6" y="16" width="6.8" height="2" rx=".6" fill="#fff"/>',
  },
};

/** @param {string} state */
function trayIcon(state) {
  const badge = badges[state];
  const mark = `${tile(state === 'signed-out' ? '#8b93a1' : '#0e6a84')}${key('#fff')}`;
  if (!badge) return svg(`<g>${mark}</g>`);
  return svg(`${hole(badge)}<g mask="url(#hole)">${mark}</g><g fill="${badge.colour}">${badge.shape}</g>${badge.sign}`);
}

/**
 * For macOS, only black and transparent. The sign is cut out of the badge.
 * @param {string} state
 */
function template(state) {
  const badge = badges[state];
  if (!badge) return svg(key('#000'));
  const sign = badge.sign.replaceAll(/#fff|#1c1300/g, '#000');
  const cut = `<mask id="sign"><rect width="24" height="24" fill="#fff"/>${sign}</mask>`;
  const shape = `<g mask="url(#sign)"><g fill="#000">${badge.shape}</g></g>`;
  return svg(`${hole(badge)}${cut}<g mask="url(#hole)">${key('#000')}</g>${shape}`);
}

/** @param {Badge} badge */
const hole = ({ shape }) =>
  '<mask id="hole"><rect width="24" height="24" fill="#fff"/>' +
  `<g fill="#000" stroke="#000" stroke-width="2.4">${shape}</g></mask>`;
/** @param {string} inner */
const svg = (inner) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">${inner}</svg>`;

/**
 * Returns [file, drawing, pixels] for each file. Electron finds `name@2x.png` next to `name.png`. `-16` is for Windows,
 * `-template` for macOS.
 * @returns {Promise<[string, string, number][]>}
 */
async function allFiles() {
  const mark = await readFile(path.join(build, 'icon.svg'), 'utf8');
  /** @type {[string, string, number][]} */
  const app = [16, 24, 32, 48, 64, 128, 256, 512].map((size) => [`icons/${size}x${size}.png`, mark, size]);
  /** @type {[string, string, number][]} */
  const tray = ['ok', ...Object.keys(badges)].flatMap((state) => [
    [`tray/${state}.png`, trayIcon(state), 24],
    [`tray/${state}@1.25x.png`, trayIcon(state), 30],
    [`tray/${state}@1.5x.png`, trayIcon(state), 36],
    [`tray/${state}@2x.png`, trayIcon(state), 48],
    [`tray/${state}-16.png`, trayIcon(state), 16],
    [`tray/${state}-16@2x.png`, trayIcon(state), 32],
    [`tray/${state}-template.png`, template(state), 18],
    [`tray/${state}-template@2x.png`, template(state), 36],
  ]);
  return [...app, ['icon.png', mark, 1024], ...tray];
}

async function draw() {
  const { app, BrowserWindow } = await import('electron');
  await app.whenReady();
  const window = new BrowserWindow({ show: false });
  await window.loadURL('about:blank');
  for (const [name, drawing, size] of await allFiles()) {
    const sized = drawing.replace('<svg ', `<svg width="${size}" height="${size}" `);
    const url = await window.webContents.executeJavaScript(`new Promise((resolve, reject) => {
      const image = new Image();
      image.onerror = reject;
      image.onload = () => {
        const canvas = Object.assign(document.createElement('canvas'), { width: ${size}, height: ${size} });
        canvas.getContext('2d').drawImage(image, 0, 0, ${size}, ${size});
        resolve(canvas.toDataURL('image/png'));
      };
      image.src = 'data:image/svg+xml,' + encodeURIComponent(${JSON.stringify(sized)});
    })`);
    await mkdir(path.dirname(path.join(build, name)), { recursive: true });
    await writeFile(path.join(build, name), Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
  }
  app.exit(0);
}

async function startElectron() {
  const [{ ensureElectron }, { startPrivateDisplay }] = await Promise.all([
    import('./electron-runtime.mjs'),
    import('./private-display.mjs'),
  ]);
  const { executable } = await ensureElectron();
  const screen = process.platform === 'linux' ? await startPrivateDisplay() : undefined;
  const env = screen ? { ...process.env, DISPLAY: screen.display } : process.env;
  const child = spawn(executable, ['--no-sandbox', import.meta.filename], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.exitCode = await new Promise((resolve) => child.on('exit', resolve));
  await screen?.stop();
}

// Not awaited in Electron, which becomes ready only after this file has been loaded.
if (process.versions.electron) void draw();
else await startElectron();
