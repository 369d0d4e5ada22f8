import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');
const maxLine = 120;
const maxFile = 300;

/** What is over a limit today. These lists only get shorter; test/house/size-exceptions.json. */
interface Exceptions {
  /** By file: how many lines are longer. */
  readonly longLines: Readonly<Record<string, number>>;
  /** By file: how many lines it has. */
  readonly longFiles: Readonly<Record<string, number>>;
  /** By file and name: why the function is not split. */
  readonly longFunctions: Readonly<Record<string, string>>;
  /** How many functions are above the limit of .oxlintrc.sizes.json. */
  readonly complexFunctions: number;
}

const exceptions = JSON.parse(
  readFileSync(path.join(root, 'test/house/size-exceptions.json'), 'utf8'),
) as unknown as Exceptions;

const folders = ['electron', 'renderer', 'scripts', 'shared', 'test'];
const files = folders.flatMap((folder) =>
  readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(?:tsx?|mjs|cjs|css)$/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => !file.includes('node_modules/')),
);
const linesOf = (file: string) => readFileSync(path.join(root, file), 'utf8').trimEnd().split('\n');

/** Findings about what is new or has grown, and about entries that are no longer needed. */
function compare(found: ReadonlyMap<string, number>, listed: Readonly<Record<string, number>>): string[] {
  const grown = [...found].filter(([file, count]) => count > (listed[file] ?? 0));
  const mended = Object.keys(listed).filter((file) => !found.has(file));
  return [
    ...grown.map(
      ([file, count]) =>
        `${file}: ${count}, ${listed[file] === undefined ? `where none is allowed` : `${listed[file]} are listed`}`,
    ),
    ...mended.map((file) => `${file} is within the limit now: remove it from size-exceptions.json`),
  ];
}

/** The findings of oxlint on the size of functions. Tests are excepted: a `describe` is as long as its topic. */
function functionSizes(): { long: string[]; complex: number } {
  const oxlint = path.join(root, 'node_modules/oxlint/bin/oxlint');
  const args = [oxlint, '-c', '.oxlintrc.sizes.json', '-f', 'json', ...folders];
  const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 50_000_000 });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string; message: string }[] };
  const named = (message: string) => /`(\w+)`/.exec(message)?.[1] ?? 'a function without a name';
  return {
    long: diagnostics
      .filter(({ code }) => code.includes('max-lines-per-function'))
      .map(({ filename, message }) => `${filename.replaceAll('\\', '/')} ${named(message)}`),
    complex: diagnostics.filter(({ code }) => code.includes('complexity')).length,
  };
}

describe('the size of lines, files and functions', () => {
  it(`has no line of code over ${maxLine} characters that is not listed`, () => {
    const found = files.map((file) => [file, linesOf(file).filter((line) => line.length > maxLine).length] as const);
    expect(compare(new Map(found.filter(([, count]) => count > 0)), exceptions.longLines)).toEqual([]);
  });

  it(`has no file over ${maxFile} lines that is not listed`, () => {
    const found = files.map((file) => [file, linesOf(file).length] as const);
    expect(compare(new Map(found.filter(([, count]) => count > maxFile)), exceptions.longFiles)).toEqual([]);
  });

  it('lists every function over 80 lines with a reason, and has no more complex functions than the limit', () => {
    const { long, complex } = functionSizes();
    expect(long.filter((name) => !exceptions.longFunctions[name])).toEqual([]);
    expect(Object.keys(exceptions.longFunctions).filter((name) => !long.includes(name))).toEqual([]);
    expect(complex).toBeLessThanOrEqual(exceptions.complexFunctions);
  });
});
