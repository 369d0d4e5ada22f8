import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../electron/core/base/system-clock.ts';
import { parseAuthorizationResponse } from '../../../electron/core/oauth/authorization/authorization-response.ts';
import { createAttempt } from '../../../electron/core/oauth/authorization/attempt.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { fault, rounds, seed } from '../../fixtures/fuzz.ts';
import { damaged } from '../../fixtures/random.ts';

describe(`the authorization response under random damage, seed ${seed}`, () => {
  it('accepts a code only with the state and issuer of the sign-in', async () => {
    const [state, issuer] = ['the-state-of-this-sign-in', 'https://login.example'];
    const good = new URLSearchParams({ code: 'the-code', state, iss: issuer }).toString();
    const refused = new URLSearchParams({
      error: 'access_denied',
      error_description: 'no',
      state,
      iss: issuer,
    }).toString();
    const redirectUri = 'http://127.0.0.1:33427/callback/0123456789ab';
    let [codes, strangers] = [0, 0];
    await rounds(5_000, async (random) => {
      const whole = random.pick([good, refused]);
      const query = random.chance(0.1) ? whole : damaged(random, whole, [good, refused]);
      const params = new URLSearchParams(query);
      const verdict = parseAuthorizationResponse(params, { state: new Secret(state), issuer, issSupported: true });
      if (verdict.kind === 'unrelated') strangers += 1;
      else expect([params.getAll('state')]).toEqual([[state]]);
      if (verdict.kind === 'code') {
        codes += 1;
        expect(params.getAll('iss')).toEqual([issuer]);
      }
      if (verdict.kind === 'refused') await fault(() => Promise.reject(verdict.error));
      const attempt = createAttempt(systemClock(), () => {});
      attempt.awaitResponseAt(redirectUri, { state: new Secret(state), issuer, issSupported: true });
      const error = await fault(() => attempt.paste(damaged(random, `${redirectUri}?${query}`)));
      if (error) expect(error.message).not.toContain('the-code');
    });
    expect(codes).toBeGreaterThan(100);
    expect(strangers).toBeGreaterThan(500);
  });
});
