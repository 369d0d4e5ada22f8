import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../electron/core/base/errors.ts';
import { redirectPage } from '../../../electron/core/oauth/authorization/result-page.ts';

describe('the page at the end of a sign-in', () => {
  it('AR08: shows texts from outside as text, not as HTML', () => {
    const error = new AppError('E_AUTHORIZATION_ERROR', 'x (server_error): <script>alert(1)</script> "quoted" & more');
    const { body } = redirectPage({ kind: 'failed', error }, '<b>name</b>');
    expect(body).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &quot;quoted&quot; &amp; more');
    expect(body).toContain('&lt;b&gt;name&lt;/b&gt;');
    expect(body).not.toContain('<script');
  });

  it('has the logo in the shape and colours of the product', () => {
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
});
