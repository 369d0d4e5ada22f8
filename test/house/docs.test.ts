import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodes as codes, errorPage } from '../../shared/errors.ts';

const root = path.join(import.meta.dirname, '../..');

describe('documentation', () => {
  it.each(codes)('has a page for %s with its cause and what to do', (code) => {
    const page = readFileSync(path.join(root, errorPage(code)), 'utf8');
    expect(page).toMatch(new RegExp(`^# ${code}\n`));
    expect(page).toContain('## Why');
    expect(page).toContain('## What to do');
  });

  it('lists no error code that nothing uses', () => {
    const sources = ['electron', 'shared'].flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true }),
    );
    const files = sources
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'errors.ts')
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));
    expect(codes.filter((code) => !files.some((text) => text.includes(`'${code}'`)))).toEqual([]);
  });

  it('names only existing tests for the features of oidc-provider', () => {
    const rows = readFileSync(path.join(root, 'docs/interop.md'), 'utf8').matchAll(
      /^\| [^|]+ \| ((?:`[\w/-]+`(?:, )?)+) \|$/gm,
    );
    const named = [...rows].flatMap(([, names = '']) =>
      names.split(', ').map((name) => `${name.replaceAll('`', '')}.test.ts`),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !existsSync(path.join(root, 'test', name)))).toEqual([]);
  });

  it('names existing tests beside each promise of SECURITY.md', () => {
    const [, section = ''] =
      /^## Promises$(.*?)^## /ms.exec(readFileSync(path.join(root, 'SECURITY.md'), 'utf8')) ?? [];
    const promises = section.split(/^- /m).slice(1);
    expect(promises.length).toBeGreaterThan(30);
    const isTest = (name: string) =>
      ['.test.ts', '.test.tsx'].some((end) => existsSync(path.join(root, 'test', `${name}${end}`)));
    const named = (text: string) => [...text.matchAll(/`([a-z][a-z/-]*)`/g)].map(([, name = '']) => name);
    expect(promises.filter((promise) => !named(promise).some(isTest))).toEqual([]);
    // Lists of tests stand in brackets, before a page if there is one: (`lock`, `doors`; [...]).
    const lists = [...section.matchAll(/\(((?:`[a-z][a-z/-]*`(?:, )?)+)[;)]/g)].map(([, list = '']) => list);
    const ofTests = lists.map(named).filter((names) => names.some(isTest));
    expect(ofTests.flat().filter((name) => !isTest(name))).toEqual([]);
  });

  it('names only existing files in ARCHITECTURE.md', () => {
    const page = readFileSync(path.join(root, 'ARCHITECTURE.md'), 'utf8');
    const files = ['electron', 'renderer', 'shared', 'test'].flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true }).map((file) => `/${folder}/${String(file)}`),
    );
    const named = [...page.matchAll(/(?<![\w/.-])[\w/-]+\.tsx?\b/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(60);
    expect(named.filter((name) => !files.some((file) => file.endsWith(`/${name}`)))).toEqual([]);
  });

  it('has no page for an unknown error code', () => {
    const pages = readdirSync(path.join(root, 'docs/errors')).map((file) => file.replace(/\.md$/, ''));
    expect(pages.sort()).toEqual([...codes].sort());
  });
});
