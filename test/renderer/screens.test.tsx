import { describe, expect, it } from 'vitest';
import { FoundForm } from '../../renderer/add-server/found-form.tsx';
import { CurrentScreen } from '../../renderer/app.tsx';
import { tabAfterKey } from '../../renderer/connect-app/snippet-tabs.tsx';
import { errorReport } from '../../renderer/error-text.ts';
import { storeTrouble } from '../../renderer/state-sentence.ts';
import { NoticeBanner } from '../../renderer/parts/banner.tsx';
import { serverInAddress } from '../../renderer/screen.ts';
import { StatePanel } from '../../renderer/server/state-panel.tsx';
import { ServersLoading, ServersScreen } from '../../renderer/servers/servers-screen.tsx';
import { changesText } from '../../renderer/status.ts';
import { errorCodes } from '../../shared/errors.ts';
import { errorInfo, exampleServer, exampleStatus } from '../fixtures/renderer-preview/states.ts';
import { kinds, markup, minute, now, states, textOf } from '../fixtures/renderer-markup.tsx';
import { exampleDetail, exampleDiscovery } from '../fixtures/renderer-preview/details.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';
import type { ServerSettings } from '../../shared/server-settings.ts';

describe('what a screen reader announces', () => {
  it('is a change of state, not a new countdown value', () => {
    const server = exampleServer('linear', states.signed_in);
    const before = exampleStatus([server]);
    const later = exampleStatus([{ ...server, state: { ...states.signed_in, refreshAt: now + 9 * minute } }]);
    expect(changesText(before, later, now)).toBe('');
    const ended = exampleStatus([{ ...server, state: states.needs_sign_in }]);
    expect(changesText(before, ended, now)).toBe('linear: Sign in again.');
    expect(
      changesText(ended, exampleStatus([{ ...server, state: { ...states.signing_in, step: 'discover' } }]), now),
    ).toBe('linear: Signing in, looking up how to sign in.');
    expect(changesText(exampleStatus([]), before, now)).toBe('');
  });

  it('includes the server’s name in each button that the list repeats', () => {
    for (const state of kinds) {
      const html = markup(<ServersScreen status={exampleStatus([exampleServer('linear', state)])} />);
      const labels = [...html.matchAll(/<button[^>]*button-small[^>]*aria-label="([^"]+)"/g)].map((match) => match[1]);
      expect(labels, state.kind).toHaveLength(1);
      expect(labels[0]).toMatch(/^(Sign in|Check now|Cancel|Try now|Review access|Unlock|Connect an app): linear$/);
    }
  });
});

describe('the screens of the window', () => {
  it('show the name, host, state, account, apps and next step of each server', () => {
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

  it('say that sign-ins in memory end when the app quits', () => {
    const status = exampleStatus([], { store: { name: 'memory', label: 'memory', state: 'ready' } });
    expect(textOf(markup(<ServersScreen status={status} />))).toContain('end when Keybridge quits');
  });

  it('show one sentence and one action while the list is empty', () => {
    const html = markup(<ServersScreen status={exampleStatus([])} />);
    expect(textOf(html)).toContain('Sign in once, for every app');
    expect(html.match(/<button/g)).toHaveLength(1);
  });

  it('show placeholders while the state loads, and tell a screen reader', () => {
    expect(textOf(markup(<ServersLoading />))).toContain('Loading your servers');
  });

  it('offer to unlock a locked store, and to try again if there is nothing to unlock', () => {
    const screen = (state: 'locked' | 'denied' | 'unavailable') =>
      textOf(
        markup(<ServersScreen status={exampleStatus([], { store: { name: 'keychain', label: 'Keychain', state } })} />),
      );
    expect(screen('locked')).toMatch(/Your keychain is locked .* Unlock/);
    expect(screen('denied')).toMatch(/Keybridge has no access to your keychain .* Try again/);
    expect(screen('unavailable')).toMatch(/No keychain is running .* Try again/);
    expect(storeTrouble({ name: 'keychain', label: 'Keychain', state: 'ready' })).toBeUndefined();
  });

  it('show an error with its cause, its remedy and its code', () => {
    const text = textOf(
      markup(<NoticeBanner notice={{ kind: 'error', title: 'It did not work', error: states.retrying.error }} />),
    );
    expect(text).toContain(states.retrying.error.message);
    expect(text).toContain(states.retrying.error.remedy);
    expect(text).toContain('E_HTTP_STATUS');
  });

  it('lead from an error to the setting that fixes it, and offer its details for copying', () => {
    const state: SignInState = {
      kind: 'needs_sign_in',
      error: errorInfo('E_CLIENT_ID_NEEDED', 'It lets no app register itself.'),
    };
    const server = exampleServer('linear', state);
    const text = textOf(markup(<StatePanel server={server} detail={exampleDetail(server, now)} />));
    expect(text).toMatch(/Enter a client ID .*E_CLIENT_ID_NEEDED .*Copy details/);
    expect(errorReport(state.error, 'linear, https://linear.example.com/mcp', now)).toBe(
      [
        'Keybridge, 2026-07-30T12:00:00.000Z',
        'linear, https://linear.example.com/mcp',
        'E_CLIENT_ID_NEEDED: It lets no app register itself.',
        state.error.remedy,
      ].join('\n'),
    );
  });

  it.each(errorCodes)('offer a remedy for %s on every screen that shows it', (code) => {
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

  it('offer a sign-in link only if the sign-in uses a web page', () => {
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

  it('return to the list if the server no longer exists', () => {
    const text = textOf(
      markup(
        <CurrentScreen status={exampleStatus([])} screen={{ at: 'server', server: 'gone' }} cameFrom={undefined} />,
      ),
    );
    expect(text).toContain('Add your first server');
  });

  it('open the server that the page address names', () => {
    expect(serverInAddress('#server=ab12')).toBe('ab12');
    expect(serverInAddress('#server=a%2Fb')).toBe('a/b');
    expect(serverInAddress('')).toBeUndefined();
    expect(serverInAddress('#elsewhere')).toBeUndefined();
  });

  it('show the address to open by hand only if no browser could be opened', () => {
    const panel = (state: SignInState) =>
      textOf(markup(<StatePanel server={exampleServer('linear', state)} detail={undefined} />));
    expect(panel(states.signing_in)).not.toContain(states.signing_in.url?.slice(0, 30));
    expect(panel(states.signing_in)).toContain('Copy the sign-in link');
    expect(panel({ ...states.signing_in, browserFailed: true })).toContain(
      'https://auth.example.com/authorize?response_type=code',
    );
    expect(panel({ ...states.signing_in, step: 'exchange' })).not.toContain('Copy the sign-in link');
  });

  it('ask for a client ID and a PKCE exception only if they are needed', () => {
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

  it('reach every app tab with the arrow keys', () => {
    expect(tabAfterKey('ArrowDown', 0, 3)).toBe(1);
    expect(tabAfterKey('ArrowRight', 2, 3)).toBe(0);
    expect(tabAfterKey('ArrowUp', 0, 3)).toBe(2);
    expect(tabAfterKey('Home', 2, 3)).toBe(0);
    expect(tabAfterKey('End', 0, 3)).toBe(2);
    expect(tabAfterKey('a', 1, 3)).toBeUndefined();
  });
});
