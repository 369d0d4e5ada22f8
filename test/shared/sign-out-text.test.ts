import { describe, expect, it } from 'vitest';
import type { SignOutReport } from '../../shared/model.ts';
import { signOutText } from '../../shared/sign-out-text.ts';

const detail = 'The keychain is locked.';
const deletedHere = 'The sign-in was deleted here.';

describe('the sentences about a sign-out', () => {
  it.each<[SignOutReport, string]>([
    [{ revoked: 'confirmed', deleted: true }, 'The server confirmed that the sign-in has ended.'],
    [{ revoked: 'nothing_to_revoke', deleted: true }, 'You were not signed in.'],
    [
      { revoked: 'not_offered', deleted: true },
      `${deletedHere} The server offers no revocation, so the sign-in ends there when it expires.`,
    ],
    [
      { revoked: 'failed', deleted: true },
      `${deletedHere} The server did not confirm the sign-out, and may accept the old sign-in until it expires.`,
    ],
  ])('say what is known of %j', (report, text) => {
    expect(signOutText(report)).toBe(text);
  });

  it.each(['confirmed', 'not_offered', 'failed', 'key_stays'] as const)(
    'never say that a sign-in was deleted which was not (%s)',
    (revoked) => {
      expect(signOutText({ revoked, deleted: false })).toContain('could not be deleted from the keychain yet');
      for (const report of [
        { revoked, deleted: false },
        { revoked, deleted: false, detail },
      ])
        expect(signOutText(report)).not.toContain(deletedHere);
    },
  );

  it('say once that the server did not confirm, if the detail explains why', () => {
    const reason = 'The authorization server did not confirm the sign-out (busy).';
    expect(signOutText({ revoked: 'failed', deleted: true, detail: reason })).toBe(`${deletedHere} ${reason}`);
  });

  it('do not say that a server did not confirm which was never asked', () => {
    const setAside = 'The entry was disabled, so Keybridge did not ask the server to revoke its tokens.';
    expect(signOutText({ revoked: 'failed', deleted: true, detail: setAside })).not.toContain('confirm');
  });
});
