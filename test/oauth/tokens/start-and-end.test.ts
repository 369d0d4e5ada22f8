import { beforeEach, describe, expect, it } from 'vitest';
import {
  createAccessTokensRig,
  credentialId as id,
  outcomeOf,
  storedRefreshToken,
  type AccessTokensRig,
} from '../../fixtures/access-tokens-rig.ts';
import { delayed, refusing, rejecting, sentRefreshTokens, startCall } from '../../fixtures/token-calls.ts';
import { rotating } from '../../fixtures/scripted-http.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

describe('the start and the end of the app', () => {
  it('RF04 refreshes a credential with an open journal at start, before the first call', async () => {
    await rig.signIn();
    await rig.vault.openJournal(id, 1);
    const next = await rig.restart();
    await next.tokens.start();
    await next.clock.advance(0);
    expect(sentRefreshTokens(next)).toEqual(['refresh-1']);
    expect(next.vault.openJournals()).toEqual([]);
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('access-2');
  });

  it('RF04 ignores a journal without a credential', async () => {
    await rig.vault.openJournal('srv00009:main', 1);
    await rig.tokens.start();
    await rig.clock.advance(60_000);
    expect(rig.http.requests).toEqual([]);
    expect(rig.tokens.state('srv00009:main')).toEqual({ kind: 'none' });
  });

  it('LC04 waits at the end until a refresh in flight is stored', async () => {
    await rig.signIn();
    const gate = delayed(rotating());
    rig.http.answer = gate.answer;
    startCall(rig, rejecting('access-1'));
    await rig.clock.advance(0);
    let closed = false;
    void rig.tokens.close().then(() => (closed = true));
    await rig.clock.advance(1_000);
    expect(closed).toBe(false);
    gate.release();
    await rig.clock.advance(0);
    expect(closed).toBe(true);
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-2');
  });

  it('LC04 waits at most 5 s at the end, and leaves the journal open', async () => {
    await rig.signIn();
    rig.http.answer = delayed(rotating()).answer;
    startCall(rig, rejecting('access-1'));
    await rig.clock.advance(0);
    let closed = false;
    void rig.tokens.close().then(() => (closed = true));
    await rig.clock.advance(4_999);
    expect(closed).toBe(false);
    await rig.clock.advance(1);
    expect(closed).toBe(true);
    expect(rig.vault.openJournals()).toEqual([id]);
  });

  it('leaves no timer running at the end', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    await rig.tokens.close();
    expect(rig.clock.pending).toBe(0);
  });

  it('reports changes, and writes no secret to the log', async () => {
    await rig.signIn();
    rig.changes.length = 0;
    await rig.tokens.refreshNow(id);
    expect(rig.changes).toContain(id);
    rig.http.answer = refusing('invalid_grant');
    await rig.tokens.refreshNow(id);
    await rig.tokens.signOut(id);
    expect(rig.log.length).toBeGreaterThan(3);
    expect(rig.log.join('')).not.toMatch(/refresh-\d|access-\d/);
  });
});
