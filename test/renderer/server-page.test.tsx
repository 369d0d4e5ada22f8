import { describe, expect, it } from 'vitest';
import { claimRows } from '../../renderer/server/claims.ts';
import { compareScopes } from '../../renderer/server/scopes.ts';
import { settingsChange, settingsForm, type SettingsForm } from '../../renderer/server/settings/settings-change.ts';
import { SettingsSection } from '../../renderer/server/settings/settings-section.tsx';
import { StatePanel } from '../../renderer/server/state-panel.tsx';
import { countsDownTo, hostOf } from '../../renderer/status.ts';
import { exampleServer } from '../fixtures/renderer-preview/states.ts';
import { markup, minute, now, states, textOf } from '../fixtures/renderer-markup.tsx';
import { exampleDetail } from '../fixtures/renderer-preview/details.ts';
import type { ServerSettings } from '../../shared/server-settings.ts';

describe('the page of a server', () => {
  it('says who asked for more access, and separates new scopes from granted ones', () => {
    const text = textOf(
      markup(<StatePanel server={exampleServer('linear', states.needs_access)} detail={undefined} />),
    );
    expect(text).toMatch(/Cursor .*wants to use .*create_issue/);
    expect(text).toMatch(/New .*issues:write .*Already granted .*issues:read/);
    expect(text).toContain('Allow');
    expect(text).toContain('Not now');
  });

  it('shows the device code, without the field for a redirect address', () => {
    const waiting = { ...states.signing_in, userCode: 'WDJB-MJHT', endsAt: now + 14 * minute };
    const text = textOf(markup(<StatePanel server={exampleServer('linear', waiting)} detail={undefined} />));
    expect(text).toMatch(
      /Open auth\.example\.com on this device .*Copy the sign-in link .*enter it there WDJB-MJHT .*valid for 14 min/,
    );
    expect(countsDownTo(waiting)).toBe(waiting.endsAt);
    expect(
      textOf(markup(<StatePanel server={exampleServer('linear', { ...waiting, endsAt: now })} detail={undefined} />)),
    ).toContain('The code has expired');
    expect(text).not.toContain('Address of the last page');
    expect(
      textOf(markup(<StatePanel server={exampleServer('linear', states.signing_in)} detail={undefined} />)),
    ).toContain('Address of the last page');
  });

  it('says that a secret is stored, without knowing it', () => {
    const detail = {
      ...exampleDetail(exampleServer('linear', states.signed_in), now),
      settings: { grant: 'client_credentials' as const },
      storedSecrets: ['clientSecret' as const, 'privateKey' as const],
    };
    const html = markup(<SettingsSection detail={detail} presets={[]} onSaved={() => {}} />);
    expect(textOf(html).match(/ stored /g)).toHaveLength(2);
    const secrets = [...html.matchAll(/<input[^>]*type="password"[^>]*>/g)].map(([input]) => input);
    expect(secrets.length).toBeGreaterThan(1);
    expect(secrets.every((input) => input.includes('value=""'))).toBe(true);
  });

  it('asks only for what the chosen sign-in method needs', () => {
    const settingsWith = (grant: ServerSettings['grant']) => {
      const detail = { ...exampleDetail(exampleServer('a', states.signed_in), now), settings: grant ? { grant } : {} };
      return textOf(markup(<SettingsSection detail={detail} presets={[]} onSaved={() => {}} />));
    };
    expect(settingsWith(undefined)).not.toMatch(/Your company’s sign-in \(issuer\)|Statement \(JWT\)/);
    expect(settingsWith('enterprise_managed')).toContain('Issuer of your company');
    expect(settingsWith('jwt_bearer')).toContain('Assertion (JWT)');
    expect(settingsWith('static_header')).not.toContain('Client ID ');
  });

  it('compares the requested scopes with the granted ones', () => {
    expect(compareScopes(['a', 'b'], ['a', 'c'], ['d', 'b'])).toEqual([
      { scope: 'd', standing: 'wanted' },
      { scope: 'b', standing: 'wanted' },
      { scope: 'a', standing: 'granted' },
      { scope: 'c', standing: 'extra' },
    ]);
    expect(compareScopes(['a', 'b'], ['a'], [])).toContainEqual({ scope: 'b', standing: 'not_granted' });
    expect(compareScopes([], ['a'], [])).toEqual([{ scope: 'a', standing: 'granted' }]);
  });

  it('shows known claims first with their meaning and local times', () => {
    const { known, others } = claimRows({
      zeta: '1',
      exp: '1785412800',
      aud: 'https://a',
      sub: 'me',
      alpha: '2',
      iat: 'not a time',
      toString: 'x',
    });
    expect(known.map(({ claim, meaning }) => `${meaning?.group} ${claim}`)).toEqual([
      'Who sub',
      'For aud',
      'Until exp',
      'Since iat',
    ]);
    expect(known.find(({ claim }) => claim === 'exp')?.value).toContain('2026');
    expect(known.find(({ claim }) => claim === 'iat')?.value).toBe('not a time');
    expect(others.map(({ claim }) => claim)).toEqual(['alpha', 'toString', 'zeta']);
  });

  it('sends only changed settings, and deletes the secret of a deleted client ID', () => {
    const configured = {
      ...exampleDetail(exampleServer('a', states.signed_in), now),
      registration: 'configured' as const,
      clientId: 'id-1',
    };
    const form: SettingsForm = {
      clientId: 'id-1',
      clientSecret: undefined,
      ownClient: false,
      allowMissingPkce: false,
      settings: {},
      authorizeRows: [],
      tokenRows: [],
      secrets: {},
    };
    expect(settingsChange(configured, form)).toBeUndefined();
    expect(settingsChange(configured, { ...form, clientId: ' id-2 ' })).toEqual({ clientId: 'id-2' });
    expect(settingsChange(configured, { ...form, clientSecret: 's' })).toEqual({ clientSecret: 's' });
    expect(settingsChange(configured, { ...form, clientId: '' })).toEqual({ clientId: null, clientSecret: null });
    expect(settingsChange(configured, { ...form, allowMissingPkce: true })).toEqual({ allowMissingPkce: true });
    expect(settingsChange(configured, { ...form, settings: { scopes: 'minimal', preset: ' ' } })).toEqual({
      settings: { scopes: 'minimal' },
    });
    expect(settingsChange({ ...configured, settings: { scopes: 'all' } }, form)).toEqual({ settings: {} });
    expect(
      settingsChange(configured, { ...form, secrets: { privateKey: 'pem', assertion: null, headerValue: undefined } }),
    ).toEqual({ secrets: { privateKey: 'pem', assertion: null } });
    const rare = {
      ...configured,
      settings: { issuerException: { named: 'https://a.example', found: 'https://b.example' } },
    };
    expect(settingsChange(rare, { ...settingsForm(rare), settings: { ...rare.settings, scopes: 'all' } })).toEqual({
      settings: { ...rare.settings, scopes: 'all' },
    });
    const dynamic = { ...configured, registration: 'dynamic' as const };
    expect(settingsChange(dynamic, { ...form, clientId: '' })).toBeUndefined();
  });

  it('shows the host of a server for every kind of address', () => {
    expect(hostOf('https://mcp.example.com:8443/mcp')).toBe('mcp.example.com:8443');
    expect(hostOf('not an address')).toBe('not an address');
    expect(hostOf('javascript:alert(1)')).toBe('javascript:alert(1)');
  });
});
