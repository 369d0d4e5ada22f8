import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');
const fixtures = path.join(root, 'test/fixtures');

describe('test/fixtures/README.md', () => {
  const page = readFileSync(path.join(fixtures, 'README.md'), 'utf8');
  /** First cells of table rows: `name.ts` | what it is for | */
  const rows = [...page.matchAll(/^\| `([^`]+)` \| [^|]+ \|$/gm)].map(([, file = '']) => file);

  it('has one row per fixture', () => {
    const files = readdirSync(fixtures, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'README.md')
      .map((entry) => path.relative(fixtures, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'));
    expect(rows.toSorted()).toEqual(files.toSorted());
  });

  it('names no file that does not exist', () => {
    const named = [...page.matchAll(/`([\w./-]+\.(?:ts|mjs|mts|cjs|html))`/g)].map(([, file = '']) => file);
    expect(named.length).toBeGreaterThan(rows.length);
    expect(named.filter((file) => ![fixtures, root].some((folder) => existsSync(path.join(folder, file))))).toEqual([]);
  });

  it('names only functions that the fixtures export', () => {
    const functions = [...page.matchAll(/`(\w+)` \(`([\w./-]+)`\)/g)];
    expect(functions.length).toBeGreaterThan(5);
    for (const [, name = '', file = ''] of functions) {
      const place = [fixtures, root].map((folder) => path.join(folder, file)).find(existsSync) ?? '';
      expect(readFileSync(place, 'utf8')).toMatch(new RegExp(`^export (?:async )?function ${name}\\b`, 'm'));
    }
  });
});
