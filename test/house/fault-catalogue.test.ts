import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');
const page = 'docs/fault-catalogue.md';
const searched = ['docs', 'electron', 'renderer', 'scripts', 'shared', 'test'];

/**
 * Two capitals and two digits, or a threat: T1, T12. Other names are longer (RS256, TLS13) or have a hyphen (P-256).
 */
const idPattern = /\b(?:[A-Z]{2}\d{2}|T\d{1,2})\b/g;
/** Names of that form that are not ids of the catalogue. */
const otherNames: readonly string[] = [];

const idsIn = (text: string): string[] =>
  [...text.matchAll(idPattern)].map(([id]) => id).filter((id) => !otherNames.includes(id));

/** The text of each source file, test and page of documentation, by its path from the root. */
function texts(): Map<string, string> {
  const inFolders = searched.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name)),
  );
  const files = [...inFolders, ...readdirSync(root)]
    .filter((file) => /\.(?:tsx?|[mc]js|md)$/.test(file))
    .filter((file) => file !== path.normalize(page) && path.basename(file) !== path.basename(import.meta.filename));
  return new Map(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]));
}

describe('the fault catalogue', () => {
  const catalogue = readFileSync(path.join(root, page), 'utf8');
  const rows = [...catalogue.matchAll(/^\| (\S+) \| (.+) \| (.+) \|$/gm)].map(([, id = '']) => id);
  const ids = rows.filter((id) => idsIn(id)[0] === id);
  const used = new Map([...texts()].map(([file, text]) => [file, idsIn(text)]));

  it('has a row for every id in tests, sources and documentation', () => {
    const missing = [...used].flatMap(([file, found]) =>
      found.filter((id) => !ids.includes(id)).map((id) => `${file}: ${id}`),
    );
    expect(missing).toEqual([]);
    expect([...used].flatMap(([, found]) => found).length).toBeGreaterThan(500);
  });

  it('has no row for an unused id', () => {
    const everywhere = new Set([...used.values()].flat());
    expect(ids.filter((id) => !everywhere.has(id))).toEqual([]);
  });

  it('has one row per id, in the table of its family and in order', () => {
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    const sections = catalogue.split(/^## /m).slice(1);
    for (const section of sections) {
      const [family = ''] = /^[A-Z]+(?=: )/.exec(section) ?? [];
      const numbers = [...section.matchAll(/^\| ([A-Z]+)(\d+) \|/gm)].map(([, letters, number]) => {
        expect(letters).toBe(family);
        return Number(number);
      });
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
    }
  });

  it('refers only to its own rows', () => {
    expect(idsIn(catalogue).filter((id) => !ids.includes(id))).toEqual([]);
  });
});
