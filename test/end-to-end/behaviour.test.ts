import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { rows } from '../fixtures/behaviour/rows.ts';

it('each row of the behaviour table has a test', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => /^behaviour-.*\.test\.ts$/.test(name));
  const text = files.map((name) => readFileSync(path.join(import.meta.dirname, name), 'utf8')).join('\n');
  const named = new Set(
    [...text.matchAll(/\b(?:it|describe)(?:\.\w+\([^\n]*\))?\(\s*rows\.(\w+)/g)].map(([, row]) => row),
  );
  expect(Object.keys(rows).filter((row) => !named.has(row))).toEqual([]);
});
