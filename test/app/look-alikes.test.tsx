import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { createResultWriter } from '../../electron/platform/terminal.ts';
import { sanitizeExternalText } from '../../electron/core/base/errors.ts';
import { serverDetail } from '../../electron/core/status/server-detail.ts';
import { redirectPage } from '../../electron/core/oauth/authorization/result-page.ts';
import { AppError } from '../../electron/core/base/errors.ts';
import { trayModel } from '../../electron/desktop/tray/tray-model.ts';
import { Foreign } from '../../renderer/parts/foreign.tsx';
import { asciiAddress, plainText, printableJson } from '../../shared/foreign-text.ts';
import { readJson } from '../../shared/json.ts';
import { exampleServer, exampleStates, exampleStatus } from '../fixtures/renderer-preview/states.ts';

const hidden: readonly [string, string][] = [
  ['a soft hyphen', '\u00ad'],
  ['a combining grapheme joiner', '\u034f'],
  ['a Mongolian vowel separator', '\u180e'],
  ['a Braille blank', '\u2800'],
  ['a Hangul filler', '\u3164'],
  ['a tag character', '\u{e0041}'],
  ['a zero-width space', '\u200b'],
  ['a right-to-left override', '\u202e'],
  ['a variation selector', '\ufe0f'],
  ['a word joiner', '\u2060'],
];
const controls: readonly [string, string][] = [
  ['an escape', '\u001b[2J'],
  ['a C1 control', '\u009b2J'],
  ['a line break', '\n'],
  ['a line separator', '\u2028'],
  ['a bell', '\u0007'],
];
const raw = /[\p{Cc}\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\u2800\u3164\u{e0000}-\u{e0fff}]|\u034f|\ufe0f/u;
const pile = `a${'\u0301'.repeat(60)}b`;
const lookAlike = 'https://\u0430pple.example/login';

describe('text from outside', () => {
  it.each([...hidden, ...controls])(
    '%s is removed in messages, the window, the tray and the browser page',
    (_, character) => {
      const text = `ad${character}min`;
      const status = exampleStatus([
        exampleServer('linear', exampleStates(0).signed_in, { identity: text, hosts: [text] }),
      ]);
      const doors = [
        sanitizeExternalText(text),
        renderToStaticMarkup(<Foreign text={text} cut />),
        ...trayModel(status, 0).items.flatMap((item) =>
          item.kind === 'submenu' ? item.items.flatMap((inner) => ('label' in inner ? [inner.label] : [])) : [],
        ),
        redirectPage(
          { kind: 'failed', error: new AppError('E_AUTHORIZATION_ERROR', `It says ${text}.`) },
          'linear',
        ).body.replaceAll('\n', ''),
      ];
      for (const shown of doors) expect(raw.test(shown), shown).toBe(false);
    },
  );

  it('is cut to a few combining marks per character', () => {
    expect(plainText(pile).length).toBeLessThan(10);
    expect(plainText('नमस्ते สวัสดี é')).toBe('नमस्ते สวัสดี é');
  });

  it('shows hosts in their DNS form, in messages and the window', () => {
    expect(asciiAddress(lookAlike)).toBe('https://xn--pple-43d.example/login');
    expect(sanitizeExternalText(`It calls itself ${lookAlike}.`, 200)).toBe(
      'It calls itself https://xn--pple-43d.example/login.',
    );
    expect(renderToStaticMarkup(<Foreign text={lookAlike} />)).toContain('https://xn--pple-43d.example/login');
    expect(asciiAddress('https://auth.example.com')).toBe('https://auth.example.com');
  });
});

describe('machine-readable output', () => {
  const evil = `x${controls.map(([, one]) => one).join('')}${hidden.map(([, one]) => one).join('')}`;

  it('escapes control and invisible characters in JSON on the terminal', () => {
    const value = { claims: { name: evil } };
    const lines: string[] = [];
    createResultWriter(
      { print: (text: string) => void lines.push(text), tell: () => {}, env: {} } as never,
      true,
    ).value(value, '');
    expect(raw.test(lines.join(''))).toBe(false);
    expect(readJson(lines[0] ?? '')).toEqual(value);
    expect(printableJson(undefined)).toBe('null');
  });

  it('has claims, scopes and notes that are safe to show, and the issuer in ASCII', () => {
    const facts = {
      issuer: lookAlike,
      resource: lookAlike,
      clientId: 'x',
      requestedScopes: [evil],
      grantedScopes: [evil],
      signedInAt: 0,
      idTokenClaims: { name: evil },
    };
    const server = {
      id: 'a:main',
      serverId: 'a',
      name: 'a',
      url: 'https://a.example/',
      addedAt: 0,
      registrations: [],
      settings: {},
      storedSecrets: [],
      learnedScopes: { [evil]: [evil] },
      account: { isDefault: true, ownClient: false, name: 'main' },
    };
    const detail = serverDetail(
      { servers: { list: () => [server] }, vault: { facts: () => facts } } as never,
      server as never,
      exampleServer('a', { kind: 'open' }),
      {
        notes: [evil],
        accessTokenClaims: { [evil]: evil },
        introspection: { active: true, claims: { username: evil } },
      },
    );
    expect(detail.issuer).toBe('https://xn--pple-43d.example/login');
    const { status: _status, ...told } = detail;
    expect(JSON.stringify(told)).not.toMatch(/\\u00(1b|0|9)|\\n/);
    expect(raw.test(JSON.stringify(told))).toBe(false);
  });
});
