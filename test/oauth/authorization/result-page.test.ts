import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { redirectPage } from '../../../electron/core/oauth/authorization/result-page.ts';

it('The logo on the pages after a sign-in has the shape and the colours of the product', () => {
  const { body } = redirectPage({ kind: 'signed_in' }, 'linear');
  const root = path.join(import.meta.dirname, '../../..');
  const theme = readFileSync(path.join(root, 'renderer', 'theme.css'), 'utf8');
  const icon = readFileSync(path.join(root, 'build', 'icon.svg'), 'utf8');
  const colours = (text: string, name: string) =>
    [...text.matchAll(new RegExp(`--${name}: ?(#[0-9a-f]+)`, 'g'))].map(([, colour]) => colour);
  for (const name of ['accent', 'on-accent']) expect(colours(body, name)).toEqual(colours(theme, name));
  for (const [, shape] of icon.matchAll(/ d="([^"]+)"/g)) expect(body).toContain(shape);
  expect(body).not.toContain('#2a4fc4');
});
