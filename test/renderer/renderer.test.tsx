import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { Findings } from '../../renderer/add-server/findings.tsx';
import { FoundForm } from '../../renderer/add-server/found-form.tsx';
import { CurrentScreen } from '../../renderer/app.tsx';
import { tabAfterKey } from '../../renderer/connect-app/snippet-tabs.tsx';
import { errorReport } from '../../renderer/error-text.ts';
import { removedNotice, signedOutNotice } from '../../renderer/sign-out-notices.ts';
import { signOutConsequences } from '../../renderer/consequences.ts';
import { stateSentence, storeTrouble } from '../../renderer/state-sentence.ts';
import { NoticeBanner } from '../../renderer/parts/banner.tsx';
import { serverInAddress } from '../../renderer/screen.ts';
import { AccessSection } from '../../renderer/server/access-section.tsx';
import { AppsSection } from '../../renderer/server/apps-section.tsx';
import { claimRows } from '../../renderer/server/claims.ts';
import { IdentitySection } from '../../renderer/server/identity-section.tsx';
import { compareScopes } from '../../renderer/server/scopes.ts';
import { settingsChange, settingsForm, type SettingsForm } from '../../renderer/server/settings/settings-change.ts';
import { SettingsSection } from '../../renderer/server/settings/settings-section.tsx';
import { StatePanel } from '../../renderer/server/state-panel.tsx';
import { ServersLoading, ServersScreen } from '../../renderer/servers/servers-screen.tsx';
import { ShellContext, useShell, type Shell } from '../../renderer/shell.ts';
import { changesInWords, countsDownTo, grouped, hostOf, lifeLeft, untilWordsChange } from '../../renderer/status.ts';
import { errorCodes } from '../../shared/errors.ts';
import { SignInState, type ServerSettings } from '../../shared/model.ts';
import { byAttention, nextStep, stateTone } from '../../shared/server-state.ts';
import { durationText, overallText, stateLabel, stateText } from '../../shared/state-text.ts';
import {
  errorInfo,
  exampleDetail,
  exampleDiscovery,
  exampleServer,
  exampleStates,
  exampleStatus,
  hostile,
} from '../fixtures/renderer-preview/states.ts';

const now = Date.UTC(2026, 6, 30, 12);
const minute = 60_000;
const states = exampleStates(now);
const kinds = Object.values(states);

/** The markup of a part of the window, at `now`. */
function markup(part: ReactElement): string {
  const Inside = () => {
    const shell: Shell = { ...useShell(), now };
    return <ShellContext value={shell}>{part}</ShellContext>;
  };
  return renderToStaticMarkup(<Inside />);
}

const textOf = (html: string): string => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

describe('the words of the states', () => {
  it('cover every kind of state of the contract', () => {
    const known = SignInState.options.map((option) => option.shape.kind.value);
    expect(kinds.map(({ kind }) => kind).sort()).toEqual([...known].sort());
  });

  it('tell a sign-in that has ended from one that never came to be', () => {
    expect(stateLabel(states.needs_sign_in)).toBe('Sign in again');
    expect(stateLabel({ kind: 'needs_sign_in', error: errorInfo('E_TLS', '') })).toBe('Sign-in failed');
  });

  it('give each kind a label and a sentence of its own', () => {
    expect(new Set(kinds.map(stateLabel)).size).toBe(kinds.length);
    expect(new Set(kinds.map(stateSentence)).size).toBe(kinds.length);
  });

  it('give each kind a shape of its own, so that colour is never the only sign', () => {
    const drawings = kinds.map(
      (state) =>
        /<svg.*?<\/svg>/s.exec(markup(<StatePanel server={exampleServer('linear', state)} detail={undefined} />))?.[0],
    );
    expect(drawings).not.toContain(undefined);
    expect(new Set(drawings).size).toBe(kinds.length);
  });

  it('name a next step exactly where something is to be done', () => {
    const steps = Object.fromEntries(kinds.map((state) => [state.kind, nextStep(state)]));
    expect(steps).toEqual({
      open: undefined,
      not_checked: 'check',
      not_signed_in: 'sign_in',
      signed_in: undefined,
      signed_out: 'sign_in',
      signing_in: 'cancel',
      retrying: 'try_now',
      needs_sign_in: 'sign_in',
      needs_access: 'review_access',
      store_blocked: 'unlock',
    });
  });

  it('count the time down', () => {
    const words = (state: SignInState) => stateText(exampleServer('linear', state), now);
    expect(words(states.signed_in)).toBe('Signed in, refreshes in 4 min');
    expect(words({ kind: 'signed_in', renewable: true })).toBe('Signed in, refreshes on next use');
    expect(words({ kind: 'signed_in', renewable: true, refreshAt: now - 1 })).toBe('Signed in, refreshing now');
    expect(words({ kind: 'signed_in', renewable: false, expiresAt: now + 3 * 60 * minute })).toBe(
      'Signed in, ends in 3 h',
    );
    expect(words({ kind: 'signed_in', renewable: false })).toBe('Signed in');
    expect(words({ ...states.signed_in, endsAt: now + 5 * 60 * minute })).toBe('Signed in, ends in 5 h');
    expect(words({ ...states.signed_in, endsAt: now - 1 })).toBe('Signed in, ending now');
    expect(words(states.retrying)).toBe('Retrying, next attempt in 2 min');
    expect(words({ ...states.retrying, nextTryAt: now })).toBe('Retrying, trying now');
  });

  it('DM34 name the hosts that a sign-in passes through besides the usual one', () => {
    const panel = (state: SignInState) =>
      textOf(markup(<StatePanel server={exampleServer('linear', state)} detail={undefined} />));
    expect(panel({ ...states.signing_in, otherHosts: ['tokens.evil.example'] })).toContain(
      'also passes through tokens.evil.example',
    );
    expect(panel(states.signing_in)).not.toContain('passes through');
  });

  it('RF26 say a day before that a sign-in ends, and that signing in again is the next step', () => {
    const ending: SignInState = { ...states.signed_in, endsAt: now + 5 * 60 * minute };
    expect([stateTone(ending), nextStep(ending), countsDownTo(ending)]).toEqual([
      'attention',
      'sign_in',
      now + 5 * 60 * minute,
    ]);
    expect(stateSentence(ending)).toContain('Sign in again before');
    expect(textOf(markup(<StatePanel server={exampleServer('linear', ending)} detail={undefined} />))).toMatch(
      /ends in 5 h.*Sign in/,
    );
    expect(
      overallText(
        exampleStatus([exampleServer('a', ending), exampleServer('b', ending), exampleServer('c', states.signed_in)]),
      ),
    ).toBe('2 sign-ins end soon');
  });

  it('round a time span to one unit', () => {
    expect([0, 59_999, minute, 89 * minute, 90 * minute, 35 * 60 * minute, 36 * 60 * minute].map(durationText)).toEqual(
      ['under a minute', 'under a minute', '1 min', '89 min', '2 h', '35 h', '2 days'],
    );
  });

  it('say what keeps the store from being read', () => {
    const labels = (['E_STORE_LOCKED', 'E_STORE_DENIED', 'E_STORE_UNAVAILABLE'] as const).map((code) =>
      stateLabel({ ...states.store_blocked, error: { ...states.store_blocked.error, code } }),
    );
    expect(labels).toEqual(['Keychain locked', 'Keychain access denied', 'Keychain unavailable']);
  });

  it('sum up all servers in one line', () => {
    const overall = (...all: SignInState[]) => {
      const status = exampleStatus(all.map((state, index) => exampleServer(`s${index}`, state)));
      return overallText(status);
    };
    expect(overall()).toBe('No servers yet');
    expect(overall(states.signed_in)).toBe('Ready');
    expect(overall(states.signed_in, states.open)).toBe('Both servers ready');
    expect(overall(states.signed_out, states.signed_in)).toBe('1 server ready, 1 signed out');
    expect(overall(states.signed_out, states.signed_out)).toBe('All signed out');
    expect(overall(states.retrying, states.signed_in)).toBe('1 server retrying');
    expect(overall(states.signing_in, states.signed_in)).toBe('Signing in');
    expect(overall(states.needs_sign_in, states.signed_in)).toBe('1 of 2 servers needs attention');
    expect(overall(states.store_blocked, states.needs_access)).toBe('2 of 2 servers need attention');
  });
});

describe('the order of the list', () => {
  it('puts what waits for a person first, then goes by name', () => {
    const list = [
      exampleServer('z', states.signed_in),
      exampleServer('a', states.signed_in),
      exampleServer('m', states.needs_sign_in),
      exampleServer('b', states.signed_out),
    ];
    expect([...list].sort(byAttention).map(({ name }) => name)).toEqual(['m', 'b', 'a', 'z']);
    expect(grouped(list).needYou.map(([{ name }]) => name)).toEqual(['m']);
    expect(grouped(list).others.map(([{ name }]) => name)).toEqual(['b', 'a', 'z']);
  });

  it('counts a server as waiting for a person only where nothing else helps', () => {
    const waiting = kinds
      .filter((state) => grouped([exampleServer('a', state)]).needYou.length === 1)
      .map(({ kind }) => kind);
    expect(waiting.sort()).toEqual(['needs_access', 'needs_sign_in', 'store_blocked']);
  });
});

describe('the clock of the window', () => {
  it('wakes up just when the words change, and not at all while nothing counts down', () => {
    expect(untilWordsChange([undefined, now - 5], now)).toBeUndefined();
    for (const left of [1_500, 61_000, 4 * minute, 89.7 * minute, 5 * 60 * minute]) {
      const wait = untilWordsChange([now + left], now);
      expect(wait).toBeDefined();
      const after = left - (wait ?? 0);
      expect(after <= 0 || durationText(after) !== durationText(left)).toBe(true);
      expect(wait === 1_000 || durationText(after + 2) === durationText(left)).toBe(true);
    }
  });

  it('takes the nearest of all moments, and rests at least a second', () => {
    expect(untilWordsChange([now + 3 * 60 * minute, now + 20_000], now)).toBe(20_000);
    expect(untilWordsChange([now + 3], now)).toBe(1_000);
  });

  it('counts down to what the words name', () => {
    expect(countsDownTo(states.signed_in)).toBe(states.signed_in.refreshAt);
    expect(countsDownTo({ kind: 'signed_in', renewable: false, expiresAt: 7 })).toBe(7);
    expect(countsDownTo(states.retrying)).toBe(states.retrying.nextTryAt);
    expect(countsDownTo(states.signed_out)).toBeUndefined();
  });

  it('measures the life of an access token only where its beginning and end are known', () => {
    expect(lifeLeft(now - minute, now + 3 * minute, now)).toBe(0.75);
    expect(lifeLeft(now - 2 * minute, now - minute, now)).toBe(0);
    expect(lifeLeft(undefined, now, now)).toBeUndefined();
    expect(lifeLeft(now, undefined, now)).toBeUndefined();
    expect(lifeLeft(now, now, now)).toBeUndefined();
  });
});

describe('what a screen reader is told', () => {
  it('is a change of state, not a new time', () => {
    const server = exampleServer('linear', states.signed_in);
    const before = exampleStatus([server]);
    const later = exampleStatus([{ ...server, state: { ...states.signed_in, refreshAt: now + 9 * minute } }]);
    expect(changesInWords(before, later, now)).toBe('');
    const ended = exampleStatus([{ ...server, state: states.needs_sign_in }]);
    expect(changesInWords(before, ended, now)).toBe('linear: Sign in again.');
    expect(
      changesInWords(ended, exampleStatus([{ ...server, state: { ...states.signing_in, step: 'discover' } }]), now),
    ).toBe('linear: Signing in, looking up how to sign in.');
    expect(changesInWords(exampleStatus([]), before, now)).toBe('');
  });

  it('names the server in each button that the list repeats', () => {
    for (const state of kinds) {
      const html = markup(<ServersScreen status={exampleStatus([exampleServer('linear', state)])} />);
      const labels = [...html.matchAll(/<button[^>]*button-small[^>]*aria-label="([^"]+)"/g)].map((match) => match[1]);
      expect(labels, state.kind).toHaveLength(1);
      expect(labels[0]).toMatch(/^(Sign in|Check now|Cancel|Try now|Review access|Unlock|Connect an app): linear$/);
    }
  });
});

describe('the screens', () => {
  it('show name, host, state, account, apps and one next step of each server', () => {
    const server = exampleServer('linear', states.signed_in, {
      identity: 'ada@example.com',
      hosts: ['Cursor', 'Claude Desktop', 'Cursor'],
    });
    const text = textOf(markup(<ServersScreen status={exampleStatus([server])} />));
    for (const words of [
      'Ready',
      'linear',
      'linear.example.com',
      'Signed in',
      'refreshes in 4 min',
      'ada@example.com',
      'Cursor, Claude Desktop',
      'Connect an app',
      'Add server',
    ]) {
      expect(text).toContain(words);
    }
    expect(text).toContain('Refresh tokens are kept in GNOME Keyring (Secret Service).');
  });

  it('say plainly that sign-ins in memory end with the app', () => {
    const status = exampleStatus([], { store: { name: 'memory', label: 'memory', state: 'ready' } });
    expect(textOf(markup(<ServersScreen status={status} />))).toContain('end when Keybridge quits');
  });

  it('give an empty list a sentence and one thing to do', () => {
    const html = markup(<ServersScreen status={exampleStatus([])} />);
    expect(textOf(html)).toContain('Sign in once, for every app');
    expect(html.match(/<button/g)).toHaveLength(1);
  });

  it('show bones while the state is on its way, and say so to a screen reader', () => {
    expect(textOf(markup(<ServersLoading />))).toContain('Loading your servers');
  });

  it('offer to unlock a locked store, and to try again where there is nothing to unlock', () => {
    const screen = (state: 'locked' | 'denied' | 'unavailable') =>
      textOf(
        markup(<ServersScreen status={exampleStatus([], { store: { name: 'keychain', label: 'Keychain', state } })} />),
      );
    expect(screen('locked')).toMatch(/Your keychain is locked .* Unlock/);
    expect(screen('denied')).toMatch(/Keybridge has no access to your keychain .* Try again/);
    expect(screen('unavailable')).toMatch(/No keychain is running .* Try again/);
    expect(storeTrouble({ name: 'keychain', label: 'Keychain', state: 'ready' })).toBeUndefined();
  });

  it('show an error with what happened, what to do, and its code', () => {
    const text = textOf(
      markup(<NoticeBanner notice={{ kind: 'error', title: 'It did not work', error: states.retrying.error }} />),
    );
    expect(text).toContain(states.retrying.error.message);
    expect(text).toContain(states.retrying.error.remedy);
    expect(text).toContain('E_HTTP_STATUS');
  });

  it('lead from an error to the setting that mends it, and let its details be copied for the operator', () => {
    const state: SignInState = {
      kind: 'needs_sign_in',
      error: errorInfo('E_CLIENT_ID_NEEDED', 'It lets no app register itself.'),
    };
    const server = exampleServer('linear', state);
    const text = textOf(markup(<StatePanel server={server} detail={exampleDetail(server, now)} />));
    expect(text).toMatch(/Enter a client ID .*E_CLIENT_ID_NEEDED .*Copy details/);
    expect(errorReport(state.error, 'linear, https://linear.example.com/mcp', now)).toBe(
      `Keybridge, 2026-07-30T12:00:00.000Z\nlinear, https://linear.example.com/mcp\nE_CLIENT_ID_NEEDED: It lets no app register itself.\n${state.error.remedy}`,
    );
  });

  it.each(errorCodes)('offer something to do about %s, wherever it shows', (code) => {
    const error = errorInfo(code, 'It did not work.');
    const states: SignInState[] = [
      { kind: 'needs_sign_in', error },
      { kind: 'retrying', error, nextTryAt: now + minute },
      { kind: 'store_blocked', error },
    ];
    for (const state of states) {
      const server = exampleServer('linear', state);
      const buttons = [
        ...markup(<StatePanel server={server} detail={exampleDetail(server, now)} />).matchAll(
          /<button[^>]*>(.*?)<\/button>/gs,
        ),
      ].map(([, words = '']) => textOf(words).trim());
      expect(buttons.filter((words) => words !== 'Copy details').length, state.kind).toBeGreaterThan(0);
      expect(buttons).toContain('Copy details');
    }
    expect(
      textOf(
        markup(
          <NoticeBanner notice={{ kind: 'error', title: 'It did not work', error, server: 'a' }} onShow={() => {}} />,
        ),
      ),
    ).toContain('Show server');
  });

  it('give a link to sign in elsewhere, where somebody signs in through a page', () => {
    const server = exampleServer('linear', states.signed_out);
    const panel = (grant?: ServerSettings['grant']) =>
      textOf(
        markup(
          <StatePanel server={server} detail={{ ...exampleDetail(server, now), settings: grant ? { grant } : {} }} />,
        ),
      );
    expect(panel()).toContain('Get a link');
    expect(panel('enterprise_managed')).toContain('Get a link');
    for (const grant of ['client_credentials', 'jwt_bearer', 'static_header', 'device_code'] as const)
      expect(panel(grant)).not.toContain('Get a link');
  });

  it('lead back to the list from a server that is gone', () => {
    const text = textOf(
      markup(
        <CurrentScreen status={exampleStatus([])} screen={{ at: 'server', server: 'gone' }} cameFrom={undefined} />,
      ),
    );
    expect(text).toContain('Add your first server');
  });

  it('open the server that the address names', () => {
    expect(serverInAddress('#server=ab12')).toBe('ab12');
    expect(serverInAddress('#server=a%2Fb')).toBe('a/b');
    expect(serverInAddress('')).toBeUndefined();
    expect(serverInAddress('#elsewhere')).toBeUndefined();
  });

  it('show the address to open by hand only when no browser could be opened', () => {
    const panel = (state: SignInState) =>
      textOf(markup(<StatePanel server={exampleServer('linear', state)} detail={undefined} />));
    expect(panel(states.signing_in)).not.toContain(states.signing_in.url?.slice(0, 30));
    expect(panel(states.signing_in)).toContain('Copy the sign-in link');
    expect(panel({ ...states.signing_in, browserFailed: true })).toContain(
      'https://auth.example.com/authorize?response_type=code',
    );
    expect(panel({ ...states.signing_in, step: 'exchange' })).not.toContain('Copy the sign-in link');
  });

  it('ask for a client ID and an exception only where they are needed', () => {
    const easy = markup(<FoundForm found={exampleDiscovery('https://mcp.example.com')} />);
    expect(easy).not.toContain('Client ID');
    expect(easy).not.toContain('checkbox');
    expect(easy).toContain('Add and sign in');
    const hard = markup(<FoundForm found={exampleDiscovery('https://hard.example')} />);
    expect(hard).toContain('Client ID');
    expect(hard).toMatch(/<input type="checkbox" required=""/);
    expect(hard).toContain('tokens.other.example');
    expect(textOf(markup(<FoundForm found={exampleDiscovery('https://open.example')} />))).not.toContain(
      'Add and sign in',
    );
  });

  it('reach every tab of the apps by the arrow keys', () => {
    expect(tabAfterKey('ArrowDown', 0, 3)).toBe(1);
    expect(tabAfterKey('ArrowRight', 2, 3)).toBe(0);
    expect(tabAfterKey('ArrowUp', 0, 3)).toBe(2);
    expect(tabAfterKey('Home', 2, 3)).toBe(0);
    expect(tabAfterKey('End', 0, 3)).toBe(2);
    expect(tabAfterKey('a', 1, 3)).toBeUndefined();
  });
});

describe('signing out and removing', () => {
  const detail = exampleDetail(exampleServer('linear', states.signed_in, { hosts: ['Cursor'] }), now);

  it('say before what they will do', () => {
    const lines = signOutConsequences(detail, exampleStatus([]).store);
    expect(lines.join('\n')).toMatch(/auth\.example\.com.*\n.*GNOME Keyring.*\n.*Cursor/);
    expect(lines.join('\n')).not.toContain('that you entered');
    expect(
      signOutConsequences({ ...detail, storedSecrets: ['headerValue'] }, exampleStatus([]).store).join('\n'),
    ).toContain('keys and secrets that you entered stay in GNOME Keyring');
  });

  it('say after what was done', () => {
    expect(signedOutNotice('linear', { revoked: 'confirmed', deleted: true })).toMatchObject({
      kind: 'done',
      title: 'Signed out of linear',
    });
    expect(signedOutNotice('linear', { revoked: 'not_offered', deleted: true })).toMatchObject({ kind: 'done' });
    expect(signedOutNotice('linear', { revoked: 'failed', deleted: true })).toMatchObject({ kind: 'warning' });
    expect(removedNotice('linear', { revoked: 'confirmed', deleted: false })).toMatchObject({
      kind: 'warning',
      title: 'linear was removed',
    });
    const texts = (['confirmed', 'not_offered', 'failed', 'key_stays', 'nothing_to_revoke'] as const).map((revoked) =>
      JSON.stringify(signedOutNotice('a', { revoked, deleted: true })),
    );
    expect(new Set(texts).size).toBe(texts.length);
    const left = ([undefined, 'deleted', 'not_offered', 'failed'] as const).map((registration) =>
      JSON.stringify(
        signedOutNotice('a', { revoked: 'confirmed', deleted: true, ...(registration ? { registration } : {}) }),
      ),
    );
    expect(new Set(left).size).toBe(4);
    const company = ([undefined, 'confirmed', 'not_offered', 'failed'] as const).map((ending) =>
      signedOutNotice('a', { revoked: 'confirmed', deleted: true, ...(ending ? { company: ending } : {}) }),
    );
    expect(new Set(company.map((notice) => JSON.stringify(notice))).size).toBe(4);
    expect(company.map(({ kind }) => kind)).toEqual(['done', 'done', 'done', 'warning']);
  });
});

describe('the details of a server', () => {
  it('say who asked for more access, and tell new scopes from granted ones', () => {
    const text = textOf(
      markup(<StatePanel server={exampleServer('linear', states.needs_access)} detail={undefined} />),
    );
    expect(text).toMatch(/Cursor .*wants to use .*create_issue/);
    expect(text).toMatch(/New .*issues:write .*Already granted .*issues:read/);
    expect(text).toContain('Allow');
    expect(text).toContain('Not now');
  });

  it('show the code of a sign-in by device code, and no field for an address that never comes', () => {
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

  it('say that a secret is stored, and never have it', () => {
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

  it('ask only for what the chosen way to sign in needs', () => {
    const settingsWith = (grant: ServerSettings['grant']) => {
      const detail = { ...exampleDetail(exampleServer('a', states.signed_in), now), settings: grant ? { grant } : {} };
      return textOf(markup(<SettingsSection detail={detail} presets={[]} onSaved={() => {}} />));
    };
    expect(settingsWith(undefined)).not.toMatch(/Your company’s sign-in \(issuer\)|Statement \(JWT\)/);
    expect(settingsWith('enterprise_managed')).toContain('Issuer of your company');
    expect(settingsWith('jwt_bearer')).toContain('Assertion (JWT)');
    expect(settingsWith('static_header')).not.toContain('Client ID ');
  });

  it('compare what was asked for with what was granted', () => {
    expect(compareScopes(['a', 'b'], ['a', 'c'], ['d', 'b'])).toEqual([
      { scope: 'd', standing: 'wanted' },
      { scope: 'b', standing: 'wanted' },
      { scope: 'a', standing: 'granted' },
      { scope: 'c', standing: 'extra' },
    ]);
    expect(compareScopes(['a', 'b'], ['a'], [])).toContainEqual({ scope: 'b', standing: 'not_granted' });
    expect(compareScopes([], ['a'], [])).toEqual([{ scope: 'a', standing: 'granted' }]);
  });

  it('put claims into plain words, times into local ones, and the rest behind', () => {
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

  it('send only the settings that were changed, and drop a secret with its client ID', () => {
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

  it('show where a server lives, whatever its address is', () => {
    expect(hostOf('https://mcp.example.com:8443/mcp')).toBe('mcp.example.com:8443');
    expect(hostOf('not an address')).toBe('not an address');
    expect(hostOf('javascript:alert(1)')).toBe('javascript:alert(1)');
  });
});

describe('who is signed in', () => {
  const signedIn = exampleDetail(exampleServer('linear', states.signed_in, { identity: 'ada@example.com' }), now);
  const said = (change: object) => textOf(markup(<IdentitySection detail={{ ...signedIn, ...change }} />));

  it('is said to be vouched for only where an ID token was verified', () => {
    expect(said({})).toContain('Keybridge verified the signature');
    expect(said({ identityVerified: false })).toContain('is not verified');
  });

  it('comes with what a person should know of it', () => {
    expect(said({ tokenNotes: ['The access token has no end of its own.'] })).toMatch(
      /Notes ?The access token has no end of its own\./,
    );
    expect(said({ tokenNotes: [] })).not.toContain('Notes');
  });

  it('is filled in by what the authorization server says of a sealed token', () => {
    const sealed = { accessTokenClaims: undefined, idTokenClaims: undefined, tokenNotes: [] };
    expect(said(sealed)).toContain('Keybridge cannot read these tokens');
    const text = said({
      ...sealed,
      introspection: { active: true, claims: { username: 'ada', scope: 'issues:read' } },
    });
    for (const words of [
      'Access token as seen by the authorization server Active',
      'username',
      'ada',
      'scopes',
      'issues:read',
    ])
      expect(text).toContain(words);
    expect(said({ ...sealed, introspection: { active: false, claims: {} } })).toContain('Not active');
  });
});

describe('UI04: hostile words stay words', () => {
  const hostileState: SignInState = {
    ...states.needs_sign_in,
    error: { ...states.needs_sign_in.error, message: hostile.markup, remedy: hostile.markup },
  };
  const server = exampleServer('linear', hostileState, {
    identity: hostile.markup,
    hosts: [hostile.markup, hostile.link],
    url: hostile.link,
  });
  const detail = {
    ...exampleDetail(server, now),
    requestedScopes: [hostile.markup],
    grantedScopes: [hostile.link],
    accessTokenClaims: { [hostile.markup]: hostile.markup, sub: hostile.bidi },
    introspection: { active: true, claims: { scope: hostile.markup, username: hostile.bidi } },
    tokenNotes: [hostile.markup, hostile.bidi],
  };
  const found = {
    ...exampleDiscovery('https://hard.example'),
    summary: hostile.markup,
    issuer: hostile.link,
    otherHosts: [hostile.markup],
    scopes: [hostile.markup],
  };
  const parts: [string, ReactElement][] = [
    ['list', <ServersScreen key="1" status={exampleStatus([server], { notice: hostileState.error })} />],
    ['state', <StatePanel key="2" server={server} detail={detail} />],
    ['access', <AccessSection key="3" detail={detail} />],
    ['apps', <AppsSection key="4" server={server} />],
    ['claims', <IdentitySection key="5" detail={detail} />],
    ['findings', <Findings key="6" found={found} />],
  ];

  it.each(parts)('in the %s', (_name, part) => {
    const html = markup(part);
    const tags = (html.match(/<[^>]*>/g) ?? []).map((tag) => tag.replaceAll(/"[^"]*"/g, '""'));
    expect(tags.filter((tag) => /^<(img|script|iframe|a|object|embed|form|link|style)\b/i.test(tag))).toEqual([]);
    expect(tags.filter((tag) => /\s(href|src|style|on\w+)=/i.test(tag))).toEqual([]);
    expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(html).toMatch(/alert\(/);
  });

  it('and foreign words stand in an element of their own direction', () => {
    expect(
      markup(<AppsSection server={exampleServer('a', states.open, { hosts: ['\u0627\u0644\u0639'] })} />),
    ).toContain('<bdi class="foreign">\u0627\u0644\u0639</bdi>');
  });
});

describe('colours', () => {
  const css = readFileSync(path.join(import.meta.dirname, '../..', 'renderer', 'theme.css'), 'utf8');
  const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');
  const coloursOf = (text: string) =>
    new Map([...text.matchAll(/--([a-z-]+): (#[0-9a-f]{3,6});/g)].map((match) => [match[1] ?? '', match[2] ?? '']));
  const schemes: [string, Map<string, string>][] = [
    ['light', coloursOf(light)],
    ['dark', coloursOf(dark)],
  ];
  const tones = ['ok', 'busy', 'attention', 'blocked', 'off'];
  const pairs: [string, string][] = [
    ...['ground', 'surface', 'sunken', 'off-soft'].flatMap((ground): [string, string][] => [
      ['ink', ground],
      ['ink-soft', ground],
    ]),
    ...tones.flatMap((tone): [string, string][] => [
      [tone, 'surface'],
      [tone, 'sunken'],
      [tone, `${tone}-soft`],
      ['ink', `${tone}-soft`],
      ['ink-soft', `${tone}-soft`],
    ]),
    ['accent', 'surface'],
    ['accent', 'ground'],
    ['accent', 'accent-soft'],
    ['on-accent', 'accent'],
    ['on-accent', 'accent-strong'],
  ];

  it.each(schemes)('of text have a contrast of 4.5 or more (WCAG 2.2, 1.4.3): %s', (_name, colours) => {
    const weak = pairs
      .map(([text, ground]) => ({ text, ground, contrast: contrast(colours.get(text), colours.get(ground)) }))
      .filter((pair) => !(pair.contrast >= 4.5));
    expect(weak).toEqual([]);
  });

  it.each(schemes)(
    'of the edges of fields and of the focus have 3 or more (WCAG 2.2, 1.4.11): %s',
    (_name, colours) => {
      expect(contrast(colours.get('line-strong'), colours.get('surface'))).toBeGreaterThanOrEqual(3);
      expect(contrast(colours.get('accent'), colours.get('ground'))).toBeGreaterThanOrEqual(3);
    },
  );

  it('stand for the tones that the states have', () => {
    for (const state of kinds) expect(css).toContain(`.tone-${stateTone(state)} {`);
  });
});

/** WCAG 2.2, contrast ratio; NaN for a colour that is not there. */
function contrast(one: string | undefined, other: string | undefined): number {
  const [dark = NaN, light = NaN] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour = ''): number {
  const long = colour.length === 4 ? colour.replaceAll(/[0-9a-f]/g, '$&$&') : colour;
  const [red = NaN, green = NaN, blue = NaN] = [1, 3, 5].map((at) => {
    const part = parseInt(long.slice(at, at + 2), 16) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
