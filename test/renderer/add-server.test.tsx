import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { FailedDiscovery } from '../../renderer/add-server/failed-discovery.tsx';
import { needOf } from '../../renderer/add-server/need.ts';
import { settingsForm, type SettingsForm } from '../../renderer/server/settings/settings-change.ts';
import { errorCodes, type ErrorCode } from '../../shared/errors.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { errorInfo } from '../fixtures/renderer-preview/states.ts';
import type { ServerSettings } from '../../shared/server-settings.ts';

const formWith = (settings: ServerSettings = {}): SettingsForm =>
  settingsForm({ ownClient: false, allowMissingPkce: false, settings });
const markup = (error: ErrorInfo, settings?: ServerSettings): string =>
  renderToStaticMarkup(
    <FailedDiscovery
      url="https://a.example/mcp"
      error={error}
      form={formWith(settings)}
      onForm={() => {}}
      onCheck={() => {}}
      onAddress={() => {}}
    />,
  );
const buttons = (html: string): string[] =>
  [...html.matchAll(/<button[^>]*>(.*?)<\/button>/g)].map(([, words = '']) => words.replaceAll(/<[^>]*>/g, ''));

describe('a failed discovery', () => {
  it('with an unknown certificate asks for the authorities and the client certificate', () => {
    const html = markup(errorInfo('E_TLS', ''));
    expect(html).toContain('data-field="settings.caFile"');
    expect(html).toContain('data-field="settings.clientCertificateFile"');
    expect(html).not.toContain('secrets.clientCertificatePassword');
    expect(markup(errorInfo('E_TLS', ''), { clientCertificateFile: '/me.p12' })).toContain(
      'data-field="secrets.clientCertificatePassword"',
    );
    expect(buttons(html)).toEqual(['Check again']);
  });

  it('with an unreadable file says so at its field', () => {
    const html = markup(
      { ...errorInfo('E_BAD_INPUT', 'The file /ca.pem cannot be read (ENOENT).'), field: 'settings.caFile' },
      { caFile: '/ca.pem' },
    );
    expect(html.slice(html.indexOf('settings.caFile'), html.indexOf('settings.clientCertificateFile'))).toContain(
      'cannot be read (ENOENT)',
    );
  });

  it('without sign-in metadata offers an API key or legacy endpoints', () => {
    const error = errorInfo('E_METADATA_MISSING', '');
    expect(markup(error)).not.toContain('secrets.headerValue');
    const withKey = markup(error, { grant: 'static_header' });
    expect(withKey).toContain('data-field="secrets.headerValue"');
    expect(withKey).toContain('data-field="settings.headerName"');
    expect(buttons(withKey)).toContain('Add with this key');
    expect(markup(error, { legacyEndpoints: true })).toContain('2025-03-26');
  });

  it('DM02 with two issuers shows both, and one button accepts only this pair', () => {
    const issuers = { named: 'https://as.example/', found: 'https://as.example' };
    const html = markup({ ...errorInfo('E_ISSUER_MISMATCH', ''), issuers });
    expect(html).toContain('>https://as.example/<');
    expect(html).toContain('>https://as.example<');
    expect(buttons(html)).toEqual(['Accept this pair']);
    expect(markup(errorInfo('E_ISSUER_MISMATCH', ''))).toBe('');
  });

  it('of a server that is unreachable lets the user add it anyway', () => {
    expect(buttons(markup(errorInfo('E_CONNECT', '')))).toEqual(['Add anyway', 'Check again']);
  });

  it('with an unsafe endpoint offers nothing', () => {
    const refused: ErrorCode[] = [
      'E_ENDPOINT_REFUSED',
      'E_ADDRESS_REFUSED',
      'E_INSECURE_URL',
      'E_SERVER_URL',
      'E_REDIRECTED',
      'E_RESOURCE_MISMATCH',
    ];
    for (const code of refused) expect(markup(errorInfo(code, '')), code).toBe('');
    const offered = errorCodes.filter((code) => needOf(errorInfo(code, '')) !== undefined);
    expect(offered.length).toBeLessThan(12);
  });
});
