import { writeSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLogFile } from '../../electron/platform/log-file.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);
const read = (name: string) => readFile(at(name), 'utf8').catch(() => undefined);
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'keybridge-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the log file', () => {
  it('LG06 LG07 is readable for this user only, appends, and rotates into a fixed number of files', async () => {
    const limits = { maxBytes: 30, files: 3 };
    const first = openLogFile(at('app.log'), limits);
    first.write('one 4567890\n');
    first.close();
    const log = openLogFile(at('app.log'), limits);
    for (const word of ['two', 'three', 'four', 'five', 'six', 'seven', 'eight']) log.write(`${word} 4567890\n`);
    log.close();

    expect((await stat(at('app.log'))).mode & 0o777).toBe(0o600);
    expect(await read('app.log')).toBe('seven 4567890\neight 4567890\n');
    expect(await read('app.log.1')).toBe('five 4567890\nsix 4567890\n');
    expect(await read('app.log.2')).toBe('three 4567890\nfour 4567890\n');
    expect(await read('app.log.3')).toBeUndefined();
  });

  it('LG06 throws nothing when it cannot be written', async () => {
    const log = openLogFile('/dev/full');
    for (let line = 0; line < 10; line += 1) log.write('no room for this\n');
    log.close();
    const nowhere = openLogFile(at('no-such-folder/app.log'));
    nowhere.write('line\n');
    nowhere.close();
    expect(await read('no-such-folder/app.log')).toBeUndefined();
  });

  it('LG06 records how many lines were dropped once there is room again', async () => {
    let full = false;
    const log = openLogFile(at('app.log'), undefined, (fd, line) => {
      if (full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      return writeSync(fd, line);
    });
    log.write('before\n');
    full = true;
    for (const word of ['one', 'two', 'three']) log.write(`${word}\n`);
    full = false;
    log.write('after\n');
    log.write('and on\n');
    log.close();
    const lines = (await read('app.log'))?.split('\n') ?? [];
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ event: 'lines_dropped', count: 3 });
    expect([lines[0], ...lines.slice(2)]).toEqual(['before', 'after', 'and on', '']);
  });

  it('is never written through a symbolic link', async () => {
    await writeFile(at('victim'), 'mine');
    await symlink(at('victim'), at('app.log'));
    const log = openLogFile(at('app.log'));
    log.write('line\n');
    log.close();
    log.write('after the end\n');
    expect(await read('victim')).toBe('mine');
  });
});
