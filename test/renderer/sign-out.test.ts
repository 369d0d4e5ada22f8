import { describe, expect, it } from 'vitest';
import { removedNotice, signedOutNotice } from '../../renderer/sign-out-notices.ts';
import { signOutConsequences } from '../../renderer/consequences.ts';
import { exampleServer, exampleStatus } from '../fixtures/renderer-preview/states.ts';
import { now, states } from '../fixtures/renderer-markup.tsx';
import { exampleDetail } from '../fixtures/renderer-preview/details.ts';

describe('signing out of a server and removing it', () => {
  const detail = exampleDetail(exampleServer('linear', states.signed_in, { hosts: ['Cursor'] }), now);

  it('states its consequences in advance', () => {
    const lines = signOutConsequences(detail, exampleStatus([]).store);
    expect(lines.join('\n')).toMatch(/auth\.example\.com.*\n.*GNOME Keyring.*\n.*Cursor/);
    expect(lines.join('\n')).not.toContain('that you entered');
    expect(
      signOutConsequences({ ...detail, storedSecrets: ['headerValue'] }, exampleStatus([]).store).join('\n'),
    ).toContain('keys and secrets that you entered stay in GNOME Keyring');
  });

  it('reports the outcome afterwards', () => {
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
