import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorPage, errors, type ErrorCode } from '../shared/reply.ts';

const root = path.join(import.meta.dirname, '..');
const codes = Object.keys(errors) as ErrorCode[];

describe('documentation', () => {
  it.each(codes)('has a page for %s with its cause and what to do', (code) => {
    const page = readFileSync(path.join(root, errorPage(code)), 'utf8');
    expect(page).toMatch(new RegExp(`^# ${code}\n`));
    expect(page).toContain('## Why');
    expect(page).toContain('## What to do');
  });

  it('has no page for a code that does not exist', () => {
    const pages = readdirSync(path.join(root, 'docs/errors')).map((file) => file.replace(/\.md$/, ''));
    expect(pages.sort()).toEqual([...codes].sort());
  });
});
