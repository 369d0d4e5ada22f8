import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../shared/messages/compile.ts';
import { translator } from '../../shared/messages/translator.ts';
import * as fromSource from '../../shared/state-text.ts';
import { bundle } from '../fixtures/bundle.ts';

const root = path.join(import.meta.dirname, '..', '..');
const catalogue = path.join(root, 'shared/messages/en');

/** Every text of the catalogue, with its file and id. */
const files = readdirSync(catalogue, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const texts: { readonly file: string; readonly id: string; readonly text: string }[] = [];
for (const file of files) {
  const groups = (await import(path.join(catalogue, file))) as Record<string, Record<string, string>>;
  for (const group of Object.values(groups))
    for (const [id, text] of Object.entries(group)) texts.push({ file, id, text });
}

describe('the message catalogue', () => {
  it('has each id once', () => {
    const ids = texts.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('has only texts that are valid ICU MessageFormat', () => {
    const broken = texts.filter(({ text }) => {
      try {
        compile(text);
        return false;
      } catch {
        return true;
      }
    });
    expect(broken).toEqual([]);
  });

  it('uses ’ as apostrophe, because ICU quotes with the straight one', () => {
    expect(texts.filter(({ text }) => text.includes("'"))).toEqual([]);
  });

  it('has no text that begins or ends with a space', () => {
    expect(texts.filter(({ text }) => /^ | $|^$/.test(text))).toEqual([]);
  });
});

describe('the source', () => {
  const sources = ['renderer', 'shared', 'electron'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file) && !file.startsWith('messages'))
      .map((file) => readFileSync(path.join(root, folder, file), 'utf8')),
  );
  const code = sources.join('\n');
  /** Of t(`settings.grants.${grant}`): a pattern for the ids that it may ask for. */
  const asked = [...code.matchAll(/\bt\(`([^`]+)`/g)].map(
    ([, id = '']) => new RegExp(`^${id.replaceAll('.', '\\.').replaceAll(/\$\{[^}]*\}/g, '[\\w.]+')}$`),
  );

  it('uses each text of the catalogue', () => {
    const ids = texts.filter(({ file }) => !file.endsWith('remedies.ts')).map(({ id }) => id);
    const unused = ids.filter((id) => !code.includes(`'${id}'`) && !asked.some((pattern) => pattern.test(id)));
    expect(unused).toEqual([]);
  });
});

describe('translator', () => {
  const { t, pieces } = translator({
    plain: 'Add server',
    greeting: 'Hello {name}, hello {other}',
    count: '{count, plural, =0 {No servers here} one {# server of {name}} other {# servers of {name}}}',
  });

  it('returns a text without values unchanged', () => {
    expect(t('plain')).toBe('Add server');
  });

  it('inserts values without parsing them', () => {
    expect(t('greeting', { name: '{other}', other: "'{name}'" })).toBe("Hello {other}, hello '{name}'");
  });

  it.each([
    [0, 'No servers here'],
    [1, '1 server of Ada'],
    [2, '2 servers of Ada'],
    [1_234, '1,234 servers of Ada'],
  ])('chooses the plural form for %i', (count, text) => {
    expect(t('count', { count, name: 'Ada' })).toBe(text);
  });

  it('returns elements unchanged between the pieces of a text', () => {
    const element = { type: 'b' };
    expect(pieces('greeting', { name: element, other: 'Bob' })).toEqual(['Hello ', element, ', hello ', 'Bob']);
  });

  it('throws when a value is missing', () => {
    // @ts-expect-error -- the type check rejects it too
    expect(() => t('greeting', { name: 'Ada' })).toThrow();
  });
});

describe('a build', () => {
  let outDir: string;
  beforeAll(async () => {
    outDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-texts-'));
  });
  afterAll(() => rm(outDir, { recursive: true, force: true }));

  it('has the same texts as the source, compiled in advance', async () => {
    const file = await bundle(path.join(root, 'shared/state-text.ts'), outDir);
    const built = createRequire(import.meta.url)(file) as typeof fromSource;
    const day = 86_400_000;
    const said = ({ durationText, certificateText, nextStepLabel, overallText }: typeof fromSource) => [
      ...[0, 60_000, 3 * 3_600_000, 5 * day].map(durationText),
      ...[0, day / 2, day, 3 * day, 30 * day].map((end) => certificateText(end, 0)),
      nextStepLabel('sign_in'),
      overallText({
        version: '1',
        front: 'headless',
        servers: [],
        runtime: 'release',
        store: { name: 'memory', label: 'memory', state: 'ready' },
      }),
    ];
    expect(said(built)).toEqual(said(fromSource));
    expect(said(built)).toContain('5 days');
  });
});
