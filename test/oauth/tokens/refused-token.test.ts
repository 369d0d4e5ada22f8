import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../electron/core/base/secret.ts';
import { createAccessTokensRig, credentialId as id, type AccessTokensRig } from '../../fixtures/access-tokens-rig.ts';
import { rotating } from '../../fixtures/scripted-http.ts';
import type { Credential } from '../../../electron/core/vault/credential.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

const token = async (): Promise<Secret | string> => {
  const answer = await rig.tokens.accessToken(id);
  return answer.kind === 'token' ? answer.token : 'error' in answer ? answer.error.code : answer.kind;
};
/** The server answers 401 to whatever token there is. Returns the code of the error, or 'renewed'. */
async function refuse(): Promise<string> {
  const now = await token();
  if (typeof now === 'string') return now;
  const answer = await rig.tokens.accessToken(id, { rejected: now });
  return 'error' in answer ? answer.error.code : 'renewed';
}
const accept = async () => {
  const now = await token();
  if (typeof now !== 'string') rig.tokens.accepted(id, now);
};

describe('a server that refuses every token', () => {
  beforeEach(() => {
    rig.http.answer = rotating({ expires_in: 3_600 });
  });

  it('costs refreshes that become rare: six in ten minutes, for a call each ten seconds', async () => {
    await rig.signIn({}, 3_600_000);
    for (let passed = 0; passed < 600_000; passed += 10_000) {
      await refuse();
      await rig.clock.advance(10_000);
    }
    expect(rig.http.refreshes.length).toBeGreaterThan(2);
    expect(rig.http.refreshes.length).toBeLessThanOrEqual(6);
  });

  it('and takes one at last has the next refusal answered by a refresh at once', async () => {
    await rig.signIn({}, 3_600_000);
    for (let passed = 0; passed < 600_000; passed += 10_000) {
      await refuse();
      await rig.clock.advance(10_000);
    }
    await accept();
    const before = rig.http.refreshes.length;
    expect(await refuse()).toBe('renewed');
    expect(rig.http.refreshes.length).toBe(before + 1);
  });
});

describe('a token that cannot be renewed and is refused', () => {
  const withoutRefresh: Partial<Credential> = { refreshToken: undefined } as unknown as Partial<Credential>;
  beforeEach(() => rig.signIn(withoutRefresh, 3_600_000));

  it('is refused to calls for a while, and then tried again, with pauses that grow', async () => {
    expect(await refuse()).toBe('E_SIGN_IN_AGAIN');
    let tries = 0;
    for (let passed = 0; passed < 3_600_000; passed += 1_000) {
      const now = await token();
      if (typeof now !== 'string') {
        tries += 1;
        await rig.tokens.accessToken(id, { rejected: now });
      }
      await rig.clock.advance(1_000);
    }
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThanOrEqual(20);
  });

  it('stands as refused until the server takes it, and as good from then on', async () => {
    await refuse();
    await rig.clock.advance(6_000);
    const now = await token();
    expect(now).toBeInstanceOf(Secret);
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'ended', error: { code: 'E_SIGN_IN_AGAIN' } });
    rig.tokens.accepted(id, now as Secret);
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'usable' });
    expect(await token()).toBe(now);
  });
});

describe('a refusal that may have another reason than the token', () => {
  it('is answered by one refresh where the life of the token is not known', async () => {
    rig.http.answer = () => ({ body: { access_token: 'access-2', token_type: 'Bearer', refresh_token: 'refresh-2' } });
    await rig.signIn({}, null);
    const first = (await token()) as Secret;
    rig.tokens.doubt(id, first);
    rig.tokens.doubt(id, first);
    await rig.clock.advance(0);
    expect(rig.http.refreshes).toHaveLength(1);
    expect(((await token()) as Secret).reveal()).toBe('access-2');
  });

  it('is not answered by a refresh where the life is known', async () => {
    await rig.signIn();
    rig.tokens.doubt(id, (await token()) as Secret);
    await rig.clock.advance(0);
    expect(rig.http.refreshes).toHaveLength(0);
  });

  it('costs refreshes that become rare where every call is refused', async () => {
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
