import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../electron/core/base/secret.ts';
import { createAccessTokensRig, credentialId as id, type AccessTokensRig } from '../../fixtures/access-tokens-rig.ts';
import { rotating } from '../../fixtures/scripted-http.ts';
import type { Credential } from '../../../electron/core/vault/credential.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

/** The current token, or the code of the error. */
const token = async (): Promise<Secret | string> => {
  const result = await rig.tokens.accessToken(id);
  return result.kind === 'token' ? result.token : 'error' in result ? result.error.code : result.kind;
};
/** The server answers 401 to the current token. Returns the code of the error, or 'renewed'. */
async function reject(): Promise<string> {
  const current = await token();
  if (typeof current === 'string') return current;
  const result = await rig.tokens.accessToken(id, { rejected: current });
  return 'error' in result ? result.error.code : 'renewed';
}
const accept = async () => {
  const current = await token();
  if (typeof current !== 'string') rig.tokens.accepted(id, current);
};

describe('a server that rejects every token', () => {
  beforeEach(() => {
    rig.http.answer = rotating({ expires_in: 3_600 });
  });

  it('causes at most six refreshes in ten minutes with a call every ten seconds', async () => {
    await rig.signIn({}, 3_600_000);
    for (let passed = 0; passed < 600_000; passed += 10_000) {
      await reject();
      await rig.clock.advance(10_000);
    }
    expect(rig.http.refreshes.length).toBeGreaterThan(2);
    expect(rig.http.refreshes.length).toBeLessThanOrEqual(6);
  });

  it('gets a refresh at once for the next rejection after it has accepted a token', async () => {
    await rig.signIn({}, 3_600_000);
    for (let passed = 0; passed < 600_000; passed += 10_000) {
      await reject();
      await rig.clock.advance(10_000);
    }
    await accept();
    const before = rig.http.refreshes.length;
    expect(await reject()).toBe('renewed');
    expect(rig.http.refreshes.length).toBe(before + 1);
  });
});

describe('a rejected token that cannot be renewed', () => {
  const withoutRefresh: Partial<Credential> = { refreshToken: undefined } as unknown as Partial<Credential>;
  beforeEach(() => rig.signIn(withoutRefresh, 3_600_000));

  it('is withheld from calls and tried again with growing pauses', async () => {
    expect(await reject()).toBe('E_SIGN_IN_AGAIN');
    let tries = 0;
    for (let passed = 0; passed < 3_600_000; passed += 1_000) {
      const current = await token();
      if (typeof current !== 'string') {
        tries += 1;
        await rig.tokens.accessToken(id, { rejected: current });
      }
      await rig.clock.advance(1_000);
    }
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThanOrEqual(20);
  });

  it('is shown as rejected until the server accepts it, and as usable from then on', async () => {
    await reject();
    await rig.clock.advance(6_000);
    const current = await token();
    expect(current).toBeInstanceOf(Secret);
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'ended', error: { code: 'E_SIGN_IN_AGAIN' } });
    rig.tokens.accepted(id, current as Secret);
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'usable' });
    expect(await token()).toBe(current);
  });
});

describe('a refusal that may have a cause other than the token', () => {
  it('causes one refresh when the lifetime of the token is unknown', async () => {
    rig.http.answer = () => ({ body: { access_token: 'access-2', token_type: 'Bearer', refresh_token: 'refresh-2' } });
    await rig.signIn({}, null);
    const first = (await token()) as Secret;
    rig.tokens.doubt(id, first);
    rig.tokens.doubt(id, first);
    await rig.clock.advance(0);
    expect(rig.http.refreshes).toHaveLength(1);
    expect(((await token()) as Secret).reveal()).toBe('access-2');
  });

  it('causes no refresh when the lifetime of the token is known', async () => {
    await rig.signIn();
    rig.tokens.doubt(id, (await token()) as Secret);
    await rig.clock.advance(0);
    expect(rig.http.refreshes).toHaveLength(0);
  });

  it('causes refreshes at growing intervals when every call is refused', async () => {
    let number = 1;
    rig.http.answer = () => ({
      body: { access_token: `access-${(number += 1)}`, token_type: 'Bearer', refresh_token: `refresh-${number}` },
    });
    await rig.signIn({}, null);
    for (let passed = 0; passed < 3_600_000; passed += 10_000) {
      rig.tokens.doubt(id, (await token()) as Secret);
      await accept();
      await rig.clock.advance(10_000);
    }
    expect(rig.http.refreshes.length).toBeLessThanOrEqual(8);
  });
});
