import type { ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { CurrentScreen } from '../../renderer/app.tsx';
import {
  everywhereConsequences,
  removeAccountConsequences,
  removeConsequences,
  signedInSomewhere,
} from '../../renderer/consequences.ts';
import { signedOutEverywhereNotice } from '../../renderer/sign-out-notices.ts';
import { isAccountName } from '../../renderer/server/account-dialogs.tsx';
import { settingsChange, settingsForm } from '../../renderer/server/settings/settings-change.ts';
import { ServersScreen } from '../../renderer/servers/servers-screen.tsx';
import { ShellContext, useShell, type Shell } from '../../renderer/shell.ts';
import { changesText, grouped } from '../../renderer/status.ts';
import { AccountName, type ServerDetail, type ServerStatus, type Status } from '../../shared/model.ts';
import { groupByServer, nameWithAccount } from '../../shared/server-state.ts';
import { accountsText, overallText } from '../../shared/state-text.ts';
import { exampleAccount, exampleServer, exampleStates, exampleStatus } from '../fixtures/renderer-preview/states.ts';
import { exampleDetail } from '../fixtures/renderer-preview/details.ts';

const now = Date.UTC(2026, 6, 30, 12);
const states = exampleStates(now);

function markup(part: ReactElement): string {
  const Inside = () => {
    const shell: Shell = { ...useShell(), now };
    return <ShellContext value={shell}>{part}</ShellContext>;
  };
  return renderToStaticMarkup(<Inside />);
}
const textOf = (html: string): string => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

const work = exampleAccount('linear', 'ada@work.example', states.signed_in, {
  isDefault: true,
  identity: 'ada@work.example',
  hosts: ['Cursor'],
});
const home = exampleAccount('linear', 'private', states.needs_sign_in, { identity: 'ada@home.example' });
const notion = exampleServer('notion', states.signed_in, { identity: 'Ada Lovelace' });
const status: Status = exampleStatus([home, notion, work]);
const page = (server: ServerStatus, of = status) =>
  textOf(markup(<CurrentScreen status={of} screen={{ at: 'server', server: server.id }} cameFrom={undefined} />));

describe('a server with several accounts, in the list', () => {
  const html = markup(<ServersScreen status={status} />);

  it('shows its name once, and a row for each account with its own state and next step', () => {
    expect(html.match(/>linear</g)).toHaveLength(1);
    expect(textOf(html)).toMatch(
      /1 of 2 accounts needs attention ada@work\.example default Signed in .*private Signed in as: ada@home\.ex/,
    );
    expect(html).toContain('aria-label="Sign in: linear (private)"');
    expect(html).toContain('aria-label="Connect an app: linear (ada@work.example)"');
  });

  it('does not repeat the identity if the account is named after it', () => {
    expect(html.match(/ada@work\.example</g)).toHaveLength(1);
  });

  it('stays together if one account needs attention', () => {
    expect(grouped(status.servers).needYou.map((accounts) => accounts.map(nameWithAccount))).toEqual([
      ['linear (ada@work.example)', 'linear (private)'],
    ]);
    expect(grouped(status.servers).others.map(([{ name }]) => name)).toEqual(['notion']);
  });

  it('counts as one server with the state of its most serious account', () => {
    expect(overallText(status)).toBe('1 of 2 servers needs attention');
    const out = exampleAccount('linear', 'private', states.signed_out);
    expect(overallText(exampleStatus([work, out, notion]))).toBe('Both servers ready');
    expect(groupByServer([work, out]).map(accountsText)).toEqual(['1 account ready, 1 signed out']);
  });

  it('shows the default account first, then the others by name', () => {
    const accounts = ['b', 'z', 'a'].map((name) =>
      exampleAccount('linear', name, states.signed_in, { isDefault: name === 'z' }),
    );
    expect(groupByServer(accounts).map((all) => all.map(({ account }) => account?.name))).toEqual([['z', 'a', 'b']]);
  });

  it('shows a single account without a row of its own, with its identity', () => {
    expect(textOf(html)).toMatch(/notion notion\.example\.com Signed in .* Ada Lovelace/);
  });
});

describe('a server with several accounts, on its page', () => {
  it('lists the accounts, marks the shown one, and names it in the heading', () => {
    const html = markup(
      <CurrentScreen status={status} screen={{ at: 'server', server: home.id }} cameFrom={undefined} />,
    );
    expect(textOf(/<h1.*?<\/h1>/.exec(html)?.[0] ?? '')).toBe(' linear private ');
    expect(html.match(/aria-current="true"/g)).toHaveLength(1);
    expect(textOf(html)).toMatch(
      /ada@work\.example default Signed in , refreshes in 4 min .*private Sign in again · ada@home\.example/,
    );
  });

  it('offers to make only another account the default', () => {
    expect(page(home)).toContain('Make default…');
    expect(page(work)).not.toContain('Make default…');
  });

  it('announces a change with the account’s name', () => {
    const later = exampleStatus([home, notion, { ...work, state: states.signed_out }]);
    expect(changesText(status, later, now)).toBe('linear (ada@work.example): Signed out.');
  });

  it('warns that the browser may still be signed in as another person', () => {
    const signingIn = { ...home, state: states.signing_in };
    expect(page(signingIn, exampleStatus([work, signingIn]))).toContain('Signing in as another person?');
    const only = exampleServer('notion', states.signing_in);
    expect(page(only, exampleStatus([only]))).not.toContain('Signing in as another person?');
  });

  it.each(['ada@work.example', 'a', '2nd+me_x.y-z', 'Ada', '', 'a b', '-a', 'a'.repeat(100), 'a'.repeat(101)])(
    'takes the name "%s" exactly when the contract does',
    (name) => {
      expect(isAccountName(name)).toBe(AccountName.safeParse(name).success);
    },
  );
});

describe('signing out and removing with several accounts', () => {
  const { store } = status;
  const detail: ServerDetail = {
    ...exampleDetail(work, now),
    accounts: [
      { id: work.id, name: 'ada@work.example', isDefault: true },
      { id: home.id, name: 'private', isDefault: false },
    ],
  };

  it('removing an account states what stays', () => {
    expect(removeAccountConsequences(detail, store).join('\n')).toMatch(
      /revoking.*\n.*GNOME Keyring.*\nCursor.*\nThe other accounts.*\n/,
    );
  });

  it('removing a server states that all its accounts are removed', () => {
    expect(removeConsequences(detail, store)[0]).toBe(
      'All its accounts are signed out and removed: ada@work.example, private.',
    );
    expect(removeConsequences(exampleDetail(notion, now), store)[0]).not.toContain('accounts');
  });

  it('signing out everywhere names the sign-ins and the apps', () => {
    expect(everywhereConsequences(status)).toEqual([
      'Keybridge ends 2 sign-ins: notion, linear (ada@work.example).',
      'Keybridge asks each server to end the sign-in by revoking its tokens.',
      'Keybridge deletes the sign-ins from GNOME Keyring (Secret Service).',
      'Cursor cannot use these servers until you sign in again.',
      'Your servers and their settings stay, including the keys and secrets that you entered.',
    ]);
  });

  it('signing out everywhere is offered only while there is a sign-in to end', () => {
    expect(textOf(markup(<ServersScreen status={status} />))).toContain('Sign out everywhere');
    const out = exampleStatus([
      exampleServer('a', states.signed_out),
      exampleServer('b', states.open),
      exampleServer('c', states.needs_sign_in),
    ]);
    expect(textOf(markup(<ServersScreen status={out} />))).not.toContain('Sign out everywhere');
    expect(signedInSomewhere(exampleServer('d', states.store_blocked))).toBe(true);
  });

  it('signing out everywhere reports what was confirmed and what was not', () => {
    const report = (
      server: string,
      revoked: 'confirmed' | 'not_offered' | 'failed' | 'nothing_to_revoke',
      deleted = true,
      account?: string,
    ) => ({ server, ...(account ? { account } : {}), report: { revoked, deleted } });
    expect(
      signedOutEverywhereNotice([
        report('a', 'confirmed'),
        report('b', 'confirmed', true, 'work'),
        report('c', 'nothing_to_revoke'),
      ]),
    ).toEqual({ kind: 'done', title: 'Signed out everywhere', lines: ['Confirmed by the server: a, b (work).'] });
    expect(
      signedOutEverywhereNotice([report('a', 'failed'), report('b', 'failed', false), report('c', 'not_offered')]),
    ).toMatchObject({
      kind: 'warning',
      lines: [
        expect.stringMatching(/^Not deleted.*: b\.$/),
        expect.stringMatching(/not confirmed.*: a\.$/),
        expect.stringMatching(/expires: c\.$/),
      ],
    });
    expect(signedOutEverywhereNotice([report('a', 'nothing_to_revoke')])).toMatchObject({
      kind: 'done',
      text: 'You were not signed in anywhere.',
    });
  });
});

describe('a client ID of a single account', () => {
  const detail = exampleDetail(home, now);

  it('is saved with the name of the account', () => {
    const form = { ...settingsForm(detail), clientId: 'mine', clientSecret: 's' };
    expect(settingsChange(detail, form)).toEqual({ clientId: 'mine', clientSecret: 's' });
    expect(settingsChange(detail, { ...form, ownClient: true })).toEqual({
      clientId: 'mine',
      clientSecret: 's',
      account: 'private',
    });
  });
});
