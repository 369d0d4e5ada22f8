import { describe, expect, it } from 'vitest';
import { trayModel, type TrayItem } from '../../electron/desktop/tray/tray-model.ts';
import type { ServerStatus, Status } from '../../shared/model.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';

const now = 1_800_000_000_000;
const error = { code: 'E_SIGN_IN_AGAIN', message: 'The sign-in has ended.', remedy: 'Sign in again.' } as const;
const minutes = (count: number) => now + count * 60_000;

const signedIn: SignInState = { kind: 'signed_in', renewable: true, refreshAt: minutes(4), expiresAt: minutes(5) };
const ended: SignInState = { kind: 'needs_sign_in', error };
const retrying: SignInState = { kind: 'retrying', error, nextTryAt: minutes(2) };
const signingIn: SignInState = { kind: 'signing_in', step: 'browser', startedAt: now };

const server = (name: string, state: SignInState, identity?: string): ServerStatus => ({
  id: `id-of-${name}`,
  name,
  url: 'https://mcp.example.com/mcp',
  state,
  hosts: [],
  ...(identity ? { identity } : {}),
});

function status(servers: ServerStatus[], change: Partial<Status> = {}): Status {
  return {
    version: '1.0.0',
    front: 'desktop',
    runtime: 'release',
    store: { name: 'keychain', label: 'Keychain', state: 'ready' },
    servers,
    ...change,
  };
}

const labels = (items: readonly TrayItem[]) => items.flatMap((item) => ('label' in item ? [item.label] : []));
const inside = (items: readonly TrayItem[], start: string): readonly TrayItem[] => {
  const submenu = items.find((item) => item.kind === 'submenu' && item.label.startsWith(start));
  return submenu?.kind === 'submenu' ? submenu.items : [];
};

describe('the tray model', () => {
  it('shows the state of each server, those that need attention first', () => {
    const { items } = trayModel(
      status([server('work', signedIn), server('notes', retrying), server('linear', ended)]),
      now,
    );
    expect(labels(items)).toEqual([
      '1 of 3 servers needs attention',
      '⚠ linear: Sign in again',
      'notes: Retrying, next attempt in 2 min',
      'work: Signed in, refreshes in 4 min',
      'Open Keybridge',
      'Quit Keybridge',
    ]);
  });

  it('offers the next step of each state and the window', () => {
    const { items } = trayModel(
      status([
        server('work', signedIn, 'ada@example.com'),
        server('notes', retrying),
        server('linear', ended),
        server('docs', signingIn),
      ]),
      now,
    );
    expect(labels(inside(items, 'work'))).toEqual(['ada@example.com', 'Show in window']);
    expect(labels(inside(items, 'notes'))).toEqual(['Try now', 'Show in window']);
    expect(labels(inside(items, 'docs'))).toEqual(['Cancel', 'Show in window']);
    expect(inside(items, '⚠ linear')[0]).toEqual({
      kind: 'action',
      label: 'Sign in',
      action: { kind: 'step', step: 'sign_in', server: 'id-of-linear' },
    });
  });

  it('lists the accounts of a server in its menu, the default account first, each with its next step', () => {
    const account = (name: string, isDefault: boolean, state: SignInState, identity?: string): ServerStatus => ({
      ...server('linear', state, identity),
      id: `linear:${name}`,
      account: { name, isDefault },
    });
    const { items } = trayModel(
      status([
        account('private', false, ended, 'ada@home.example'),
        account('ada@work.example', true, signedIn, 'ada@work.example'),
        server('notes', signedIn),
      ]),
      now,
    );
    expect(labels(items).slice(0, 3)).toEqual([
      '1 of 2 servers needs attention',
      '⚠ linear: 1 of 2 accounts needs attention',
      'notes: Signed in, refreshes in 4 min',
    ]);
    const accounts = inside(items, '⚠ linear');
    expect(labels(accounts)).toEqual(['ada@work.example: Signed in, refreshes in 4 min', '⚠ private: Sign in again']);
    expect(labels(inside(accounts, 'ada@work'))).toEqual(['Show in window']);
    expect(labels(inside(accounts, '⚠ private'))).toEqual(['ada@home.example', 'Sign in', 'Show in window']);
    expect(inside(accounts, '⚠ private')).toContainEqual({
      kind: 'action',
      label: 'Sign in',
      action: { kind: 'step', step: 'sign_in', server: 'linear:private' },
    });
  });

  it('opens the window for a request for more access, instead of granting it', () => {
    const wanting: SignInState = { kind: 'needs_access', error, scopes: ['admin'] };
    const [first] = inside(trayModel(status([server('work', wanting)]), now).items, '⚠ work');
    expect(first).toMatchObject({ action: { kind: 'show', server: 'id-of-work' } });
  });

  it.each([
    ['ok', [signedIn]],
    ['ok', [{ kind: 'open' }]],
    ['ok', [signedIn, { kind: 'signed_out' }]],
    ['signed-out', []],
    ['signed-out', [{ kind: 'signed_out' }]],
    ['retrying', [signedIn, retrying]],
    ['busy', [retrying, signingIn]],
    ['attention', [signedIn, signingIn, retrying, ended]],
    ['attention', [{ kind: 'store_blocked', error }]],
  ] satisfies [string, SignInState[]][])('has the icon "%s" for %j', (icon, states) => {
    expect(trayModel(status(states.map((state, index) => server(`s${index}`, state))), now).icon).toBe(icon);
  });

  it('shows a locked keychain in the icon and offers to unlock it', () => {
    const model = trayModel(
      status([server('work', signedIn)], { store: { name: 'keychain', label: 'Keychain', state: 'locked' } }),
      now,
    );
    expect(model.icon).toBe('attention');
    expect(model.items).toContainEqual({ kind: 'action', label: 'Unlock keychain', action: { kind: 'unlock' } });
  });

  it('RF26 shows a sign-in that ends within a day in icon, summary and menu', () => {
    const model = trayModel(
      status([server('work', { ...signedIn, endsAt: minutes(5 * 60) }), server('notes', signedIn)]),
      now,
    );
    expect(model.icon).toBe('attention');
    expect(labels(model.items)).toEqual(
      expect.arrayContaining(['1 sign-in ends soon', 'work: Signed in, ends in 5 h']),
    );
    expect(inside(model.items, 'work')).toContainEqual(expect.objectContaining({ label: 'Sign in' }));
    expect(
      trayModel(status([server('work', { kind: 'signed_in', renewable: true, endsAt: minutes(5) })]), now)
        .countsMinutes,
    ).toBe(true);
  });

  it('warns that the memory store loses the sign-ins', () => {
    const model = trayModel(status([], { store: { name: 'memory', label: 'Memory', state: 'ready' } }), now);
    expect(labels(model.items)).toContain('Sign-ins end when Keybridge quits');
  });

  it('counts minutes only while it shows a time', () => {
    const ticks = (state: SignInState) => trayModel(status([server('work', state)]), now).countsMinutes;
    expect(ticks(signedIn)).toBe(true);
    expect(ticks(retrying)).toBe(true);
    expect(ticks({ kind: 'signed_in', renewable: true })).toBe(false);
    expect(ticks({ kind: 'signed_in', renewable: true, expiresAt: minutes(5) })).toBe(false);
    expect(ticks({ kind: 'signed_in', renewable: false, expiresAt: minutes(5) })).toBe(true);
    expect(ticks(ended)).toBe(false);
    expect(ticks({ kind: 'signed_out' })).toBe(false);
  });

  it('shows at most 20 servers, so that the items to open and to quit stay on the screen', () => {
    const many = Array.from({ length: 50 }, (_, index) => server(`s${index}`, index === 49 ? ended : signedIn));
    const { items } = trayModel(status(many), now);
    expect(items.length).toBeLessThan(30);
    expect(labels(items).slice(0, 2)).toEqual(['1 of 50 servers needs attention', '⚠ s49: Sign in again']);
    expect(labels(items).slice(-3)).toEqual(['Show 30 more in window', 'Open Keybridge', 'Quit Keybridge']);
  });
});
