import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');
const dist = path.join(root, 'dist');

/** The `file:line` of a text in the sources. */
function placeOf(file: string, text: string): string {
  const lines = readFileSync(path.join(root, file), 'utf8').split('\n');
  return `${file}:${lines.findIndex((line) => line.includes(text)) + 1}`;
}

const decode = (...args: string[]) =>
  spawnSync(process.execPath, [path.join(root, 'scripts/decode-log.mjs'), ...args], { encoding: 'utf8' });

describe('npm run decode-log', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'keybridge-decode-'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('prints the places in the sources for a crash of the minified command line', () => {
    const planted = path.join(folder, 'planted.cjs');
    writeFileSync(planted, `require('node:os').homedir = () => { throw new Error('planted'); };`);
    const env = { PATH: process.env['PATH'] };
    const crash = spawnSync(process.execPath, ['-r', planted, path.join(dist, 'keybridge.cjs'), 'connect', 'x'], {
      env,
      encoding: 'utf8',
    });
    expect(crash.stderr).toContain('planted');
    expect(crash.stderr).toMatch(/dist\/keybridge\.cjs:\d+:\d+/);
    writeFileSync(path.join(folder, 'crash.txt'), crash.stderr);

    const { stdout, status } = decode(path.join(folder, 'crash.txt'));
    expect(status).toBe(0);
    expect(stdout).toContain(placeOf('electron/local-socket/data-folder.ts', 'os.homedir()'));
    expect(stdout).not.toMatch(/keybridge\.cjs:\d+:\d+/);
  });

  it('prints the place in the sources for a line of the log and leaves other lines unchanged', () => {
    const text = 'This page is not allowed to run commands.';
    const lines = readFileSync(path.join(dist, 'main.js'), 'utf8').split('\n');
    const line = lines.findIndex((one) => one.includes(text));
    const logged = (place: string) => `{"at":"2026-01-01T00:00:00.000Z","event":"fault","at":"fail (${place})"}\n`;
    const log = path.join(folder, 'keybridge.log');
    writeFileSync(log, logged(`main.js:${line + 1}:${(lines[line]?.indexOf(text) ?? 0) + 1}`) + logged('other.js:1:1'));

    const { stdout } = decode(log);
    expect(stdout).toMatch(new RegExp(`\\(${placeOf('electron/desktop/window/ipc.ts', text)}:\\d+\\)`));
    expect(stdout).toContain(logged('other.js:1:1'));
  });

  it('says how to build the source maps if there are none', () => {
    const { stderr, status } = decode(path.join(folder, 'crash.txt'), '--maps', path.join(folder, 'none'));
    expect(status).toBe(3);
    expect(stderr).toContain('npm run build');
  });

  it('finds a source map for every built script, none of which refers to its map', () => {
    const built = readdirSync(dist, { recursive: true, encoding: 'utf8' });
    const scripts = built.filter((name) => /\.c?js$/.test(name));
    expect(scripts.length).toBeGreaterThan(5);
    for (const name of scripts) {
      expect(built).toContain(path.join('source-maps', `${name}.map`));
      expect(readFileSync(path.join(dist, name), 'utf8')).not.toContain('sourceMappingURL=');
    }
  });
});
