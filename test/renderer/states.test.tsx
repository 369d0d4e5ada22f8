import { describe, expect, it } from 'vitest';
import { stateSentence } from '../../renderer/state-sentence.ts';
import { StatePanel } from '../../renderer/server/state-panel.tsx';
import { countsDownTo, grouped } from '../../renderer/status.ts';
import { byAttention, nextStep, stateTone } from '../../shared/server-state.ts';
import { durationText, overallText, stateLabel, stateText } from '../../shared/state-text.ts';
import { errorInfo, exampleServer, exampleStatus } from '../fixtures/renderer-preview/states.ts';
import { kinds, markup, minute, now, states, textOf } from '../fixtures/renderer-markup.tsx';
import { SignInState } from '../../shared/sign-in-state.ts';

describe('the texts for a server’s state', () => {
  it('cover every kind of state in the contract', () => {
    const known = SignInState.options.map((option) => option.shape.kind.value);
    expect(kinds.map(({ kind }) => kind).sort()).toEqual([...known].sort());
  });

  it('distinguish a sign-in that has ended from one that failed', () => {
    expect(stateLabel(states.needs_sign_in)).toBe('Sign in again');
    expect(stateLabel({ kind: 'needs_sign_in', error: errorInfo('E_TLS', '') })).toBe('Sign-in failed');
  });

  it('give each kind of state its own label and sentence', () => {
    expect(new Set(kinds.map(stateLabel)).size).toBe(kinds.length);
    expect(new Set(kinds.map(stateSentence)).size).toBe(kinds.length);
  });

  it('give each kind of state its own shape, so that colour is never the only sign', () => {
    const drawings = kinds.map(
      (state) =>
        /<svg.*?<\/svg>/s.exec(markup(<StatePanel server={exampleServer('linear', state)} detail={undefined} />))?.[0],
    );
    expect(drawings).not.toContain(undefined);
    expect(new Set(drawings).size).toBe(kinds.length);
  });

  it('name a next step only where there is something to do', () => {
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

  it('count down the time', () => {
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

  it('DM34 name the additional hosts that a sign-in passes through', () => {
    const panel = (state: SignInState) =>
      textOf(markup(<StatePanel server={exampleServer('linear', state)} detail={undefined} />));
    expect(panel({ ...states.signing_in, otherHosts: ['tokens.evil.example'] })).toContain(
      'also passes through tokens.evil.example',
    );
    expect(panel(states.signing_in)).not.toContain('passes through');
  });

  it('RF26 say a day in advance that a sign-in ends, with signing in again as the next step', () => {
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

  it('say why the store cannot be read', () => {
    const labels = (['E_STORE_LOCKED', 'E_STORE_DENIED', 'E_STORE_UNAVAILABLE'] as const).map((code) =>
      stateLabel({ ...states.store_blocked, error: { ...states.store_blocked.error, code } }),
    );
    expect(labels).toEqual(['Keychain locked', 'Keychain access denied', 'Keychain unavailable']);
  });

  it('summarise all servers in one line', () => {
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

describe('the order of the list of servers', () => {
  it('puts servers that need a user first, then sorts by name', () => {
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

  it('counts a server as needing a user only if nothing else helps', () => {
    const waiting = kinds
      .filter((state) => grouped([exampleServer('a', state)]).needYou.length === 1)
      .map(({ kind }) => kind);
    expect(waiting.sort()).toEqual(['needs_access', 'needs_sign_in', 'store_blocked']);
  });
});
