import type { ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { groupOf, groupValue } from '../../renderer/server/settings/groups.ts';
import { problemsOf } from '../../renderer/server/settings/problems.ts';
import { settingOf } from '../../renderer/server/settings/setting-of.ts';
import {
  settingsChange,
  settingsForm,
  settingsOf,
  tidied,
  type SettingsForm,
} from '../../renderer/server/settings/settings-change.ts';
import { grants } from '../../renderer/server/settings/sign-in-fields.tsx';
import { t } from '../../renderer/text.ts';
import { SettingsSection } from '../../renderer/server/settings/settings-section.tsx';
import { type ServerDetail } from '../../shared/model.ts';
import { errorInfo, exampleServer, exampleStates } from '../fixtures/renderer-preview/states.ts';
import { exampleDetail } from '../fixtures/renderer-preview/details.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';
import { secretNames, ServerSettings } from '../../shared/server-settings.ts';

const now = Date.UTC(2026, 6, 30, 12);
const states = exampleStates(now);
const presets = [
  { name: 'auth0', title: 'Auth0' },
  { name: 'keycloak', title: 'Keycloak' },
];

const detailWith = (
  settings: ServerSettings,
  more: Partial<ServerDetail> = {},
  state: SignInState = states.signed_in,
): ServerDetail => ({ ...exampleDetail(exampleServer('work', state), now), settings, ...more });
const section = (detail: ServerDetail): ReactElement => (
  <SettingsSection detail={detail} presets={presets} onSaved={() => {}} />
);
const markup = (detail: ServerDetail): string => renderToStaticMarkup(section(detail));
const formWith = (settings: ServerSettings, more: Partial<SettingsForm> = {}): SettingsForm => ({
  ...settingsForm(detailWith(settings)),
  ...more,
});
const textOf = (html: string): string => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
/** The part of the markup that shows this field, up to the next one. */
const fieldOf = (html: string, field: string): string =>
  html.split('data-field="').find((part) => part.startsWith(`${field}"`)) ?? '';

describe('the settings of a server', () => {
  const everything = grants
    .map((grant) =>
      markup(
        detailWith({
          grant,
          clientAuth: 'private_key_jwt',
          clientCertificateFile: '/a.pem',
          caFile: '/ca.pem',
          scopes: ['a'],
          resource: { value: 'api://a' },
        }),
      ),
    )
    .join('\n');

  it.each(Object.keys(ServerSettings.shape))('have a field for %s', (name) => {
    expect(everything).toMatch(new RegExp(`data-field="settings\\.${name}[."]`));
  });

  it.each(secretNames)('have a field for the secret %s', (name) => {
    expect(everything).toContain(
      name === 'clientSecret' ? 'data-field="clientSecret"' : `data-field="secrets.${name}"`,
    );
  });

  it('have a help text at each field', () => {
    const fields = everything.split('data-field="').slice(1);
    const silent = fields
      .filter((field) => !field.includes('class="hint"'))
      .map((field) => field.slice(0, field.indexOf('"')));
    expect(silent).toEqual([]);
  });

  it('show the current value of each group while it is collapsed', () => {
    const text = textOf(
      markup(
        detailWith(
          { grant: 'device_code', scopes: ['a:read', 'b'], caFile: '/ca.pem', dpop: true },
          { allowMissingPkce: true },
        ),
      ),
    );
    expect(text).toContain(`Sign-in ${t('settings.grants.device_code')}`);
    expect(text).toContain('Access a:read b');
    expect(text).toContain('Certificates and network 2 settings');
    expect(text).toContain('Compatibility 1 setting');
    expect(groupValue('compatibility', formWith({}))).toBe(t('settings.standard'));
    expect(
      groupValue('compatibility', formWith({ authorizeParameters: { audience: 'x' }, legacyEndpoints: true })),
    ).toBe('2 settings');
  });

  it('offer the providers by name and “none”, and keep an unknown name', () => {
    const field = fieldOf(markup(detailWith({ preset: 'from-tomorrow' })), 'settings.preset');
    expect(textOf(field)).toMatch(
      /From the address of the authorization server \(default\).*None.*Auth0.*Keycloak.*from-tomorrow/,
    );
    expect(field).toMatch(/<option value="from-tomorrow" selected="">/);
  });
});

describe('an error whose remedy is a setting', () => {
  const signIn = (error: ReturnType<typeof errorInfo>): SignInState => ({ kind: 'needs_sign_in', error });
  const openGroups = (html: string): number =>
    html.match(/<details class="more settings-group" open="">/g)?.length ?? 0;

  it('opens only the group of that setting', () => {
    expect(openGroups(markup(detailWith({})))).toBe(0);
    const html = markup(detailWith({}, {}, signIn(errorInfo('E_TLS', 'It could not prove its identity.'))));
    expect(openGroups(html)).toBe(1);
    expect(html.slice(html.indexOf('open=""')).indexOf('Certificates and network')).toBeLessThan(200);
  });

  it('is shown at its field, and the field refers to it', () => {
    const error = {
      ...errorInfo('E_BAD_INPUT', 'The file /ca.pem cannot be read (ENOENT).'),
      field: 'settings.caFile',
    };
    const field = fieldOf(markup(detailWith({ caFile: '/ca.pem' }, {}, signIn(error))), 'settings.caFile');
    expect(textOf(field)).toContain('Last sign-in: The file /ca.pem cannot be read (ENOENT).');
    const [, described = ''] = /aria-describedby="([^" ]+)/.exec(field) ?? [];
    expect(field).toContain(`id="${described}" class="field-error"`);
    expect(field).toContain('aria-invalid="true"');
  });

  it('shows both issuers of a mismatch exactly, with one button to accept the pair', () => {
    const issuers = { named: 'https://as.example/', found: 'https://as.example' };
    const error = { ...errorInfo('E_ISSUER_MISMATCH', 'They differ only in a trailing slash.'), issuers };
    const text = textOf(markup(detailWith({}, {}, signIn(error))));
    expect(text).toMatch(
      /by the server https:\/\/as\.example\/ Issuer in .* metadata https:\/\/as\.example Accept this/,
    );
    expect(textOf(markup(detailWith({ issuerException: issuers }, {}, signIn(error))))).not.toContain(
      'Accept this pair',
    );
  });

  it('leads to an existing field for every code that has one', () => {
    const html = markup(detailWith({}));
    for (const code of [
      'E_CLIENT_ID_NEEDED',
      'E_REGISTRATION_REFUSED',
      'E_PKCE_UNSUPPORTED',
      'E_ISSUER_MISMATCH',
      'E_METADATA_MISSING',
      'E_TLS',
    ] as const) {
      expect(html).toContain(`data-field="${settingOf(errorInfo(code, ''))}"`);
    }
    expect(settingOf(errorInfo('E_TIMEOUT', ''))).toBeUndefined();
    expect(settingOf({ ...errorInfo('E_BAD_INPUT', ''), field: 'url' })).toBeUndefined();
  });
});

describe('problems that prevent saving', () => {
  const wrong = (
    settings: ServerSettings,
    more: Partial<SettingsForm> = {},
    stored: ServerDetail['storedSecrets'] = [],
  ): string[] => Object.keys(problemsOf(formWith(settings, more), stored));

  it.each<[string, string[]]>([
    ['a key that is missing', wrong({ grant: 'static_header' })],
    ['a header with a space', wrong({ headerName: 'X Key' })],
    ['a relative file', wrong({ caFile: 'ca.pem' })],
    ['a certificate by a short name', wrong({ clientCertificateFile: '~/me.p12' })],
    ['half a pair of issuers', wrong({ issuerException: { named: 'https://a.example', found: '' } })],
    ['a resource that is no URI', wrong({ resource: { value: 'here' } })],
    ['no resource at all', wrong({ resource: { value: '' } })],
    ['no scope', wrong({ scopes: [''] })],
    ['a document by http', wrong({ clientMetadataUrl: 'http://a.example/x' })],
    ['a company by name', wrong({ grant: 'enterprise_managed', enterprise: { issuer: 'acme', clientId: 'k' } })],
    ['a parameter of ours', wrong({}, { authorizeRows: [{ name: 'state', value: 'x' }] })],
    ['a parameter without a value', wrong({}, { tokenRows: [{ name: 'audience', value: ' ' }] })],
    [
      'a parameter twice',
      wrong(
        { tokenParameters: { audience: 'a' } },
        {
          tokenRows: [
            { name: 'audience', value: 'a' },
            { name: 'audience ', value: 'b' },
          ],
        },
      ),
    ],
  ])('%s', (_, fields) => {
    expect(fields).toHaveLength(1);
  });

  it.each<[string, string[]]>([
    ['nothing set', wrong({})],
    [
      'a company where one signs in through the browser',
      wrong({ grant: 'enterprise_managed', enterprise: { issuer: 'https://login.acme.example', clientId: 'k' } }),
    ],
    ['a key that is stored', wrong({ grant: 'static_header', headerName: 'X-API-Key' }, {}, ['headerValue'])],
    [
      'files by their whole paths',
      wrong({ caFile: '/etc/ca.pem', clientCertificateFile: 'C:\\me.p12', assertionFile: '\\\\host\\share\\a' }),
    ],
    ['a pair', wrong({ issuerException: { named: 'https://a.example/', found: 'https://a.example' } })],
    ['a resource of another kind', wrong({ resource: { value: 'api://app' } })],
    ['rows that were left empty', wrong({}, { authorizeRows: [{ name: '', value: '' }] })],
    ['a parameter', wrong({ authorizeParameters: { audience: '{resource}' } })],
  ])('but not %s', (_, fields) => {
    expect(fields).toEqual([]);
  });

  it('each have a field in the window', () => {
    const fields = [
      'clientId',
      'secrets.headerValue',
      'settings.scopes',
      'settings.issuerException.found',
      'settings.tokenParameters',
    ];
    const html = [{ grant: 'static_header' as const }, { scopes: ['a'] }]
      .map((settings) => markup(detailWith(settings)))
      .join('');
    for (const field of fields) expect(html).toContain(`data-field="${field}"`);
    expect(groupOf('settings.issuerException.found')).toBe('compatibility');
    expect(groupOf('clientId')).toBe('signIn');
  });
});

describe('the saved settings', () => {
  it('contain only changes, with rows as parameters and without empty values', () => {
    const detail = detailWith({ authorizeParameters: { audience: 'a' }, resource: 'omit' });
    const form = settingsForm(detail);
    expect(settingsChange(detail, form)).toBeUndefined();
    const rows = [...form.authorizeRows, { name: ' prompt ', value: 'login' }, { name: '', value: '' }];
    expect(settingsChange(detail, { ...form, authorizeRows: rows })).toEqual({
      settings: { resource: 'omit', authorizeParameters: { audience: 'a', prompt: 'login' } },
    });
    expect(settingsChange(detail, { ...form, authorizeRows: [] })).toEqual({ settings: { resource: 'omit' } });
  });

  it('fit the contract for everything that the form can hold', () => {
    const settings: ServerSettings = {
      grant: 'enterprise_managed',
      enterprise: { issuer: ' https://login.acme.example ', clientId: 'k', tokenEndpoint: '' },
      issuerException: { named: 'https://a.example/', found: 'https://a.example' },
      scopes: ['a', '', ' b'],
      dpop: false,
      preset: ' none ',
      caFile: '  ',
    };
    const saved = settingsOf(formWith(settings));
    expect(ServerSettings.parse(saved)).toEqual({
      grant: 'enterprise_managed',
      enterprise: { issuer: 'https://login.acme.example', clientId: 'k' },
      issuerException: settings.issuerException,
      scopes: ['a', 'b'],
      dpop: false,
      preset: 'none',
    });
    expect(tidied({ enterprise: { issuer: '', clientId: ' ' } })).toEqual({});
  });
});
