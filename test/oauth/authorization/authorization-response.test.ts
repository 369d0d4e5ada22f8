import { describe, expect, it } from 'vitest';
import { parseAuthorizationResponse } from '../../../electron/core/oauth/authorization/authorization-response.ts';
import { expected, issuer, state } from '../../fixtures/redirect-listener.ts';

const params = (values: Record<string, string>) => new URLSearchParams(values);
const good = { code: 'c', state: state.reveal(), iss: issuer };

describe('an authorization response', () => {
  it('yields its code as a secret', () => {
    const verdict = parseAuthorizationResponse(params(good), expected);
    expect(verdict).toMatchObject({ kind: 'code' });
    expect(JSON.stringify(verdict)).not.toContain('"c"');
  });

  it.each([
    ['AR05: with another state', { ...good, state: 'other' }],
    ['AR05: with only the beginning of the state', { ...good, state: state.reveal().slice(0, -1) }],
    ['AR06: without a state', { code: 'c', iss: issuer }],
    ['AR05: with an error and another state', { error: 'access_denied', state: 'other', iss: issuer }],
  ])('%s is unrelated to this sign-in', (_, values) => {
    expect(parseAuthorizationResponse(params(values), expected)).toEqual({ kind: 'unrelated' });
  });

  it('AR05: with two states is unrelated to this sign-in, even if the first state is right', () => {
    expect(parseAuthorizationResponse(new URLSearchParams(`state=${state.reveal()}&state=x&code=c`), expected)).toEqual(
      { kind: 'unrelated' },
    );
  });

  it.each<[string, boolean, string | undefined, boolean]>([
    ['AR01: rejects another issuer where iss is announced', true, 'https://evil.example', false],
    ['AR02: rejects a missing iss where iss is announced', true, undefined, false],
    ['AR03: rejects the issuer with a trailing slash', true, `${issuer}/`, false],
    ['AR03: rejects the issuer in upper case', true, 'https://LOGIN.example', false],
    ['accepts the exact issuer where iss is announced', true, issuer, true],
    ['AR01: rejects another issuer where iss is not announced', false, 'https://evil.example', false],
    ['accepts the exact issuer where iss is not announced', false, issuer, true],
    ['accepts a missing iss where iss is not announced', false, undefined, true],
  ])('%s', (_, issSupported, iss, accepted) => {
    const verdict = parseAuthorizationResponse(
      params({ code: 'c', state: state.reveal(), ...(iss === undefined ? {} : { iss }) }),
      { ...expected, issSupported },
    );
    if (accepted) expect(verdict.kind).toBe('code');
    else expect(verdict).toMatchObject({ kind: 'refused', error: { code: 'E_ISS_MISMATCH' } });
  });

  it('AR04: with an error and a wrong iss does not show any text of the error', () => {
    const verdict = parseAuthorizationResponse(
      params({
        error: 'access_denied',
        error_description: 'Call us at evil.example',
        state: state.reveal(),
        iss: 'https://evil.example',
      }),
      expected,
    );
    expect(verdict).toMatchObject({ kind: 'refused', error: { code: 'E_ISS_MISMATCH' } });
    expect(JSON.stringify(verdict) + String((verdict as { error: Error }).error)).not.toMatch(/evil|denied|Call/);
  });

  it.each([
    ['AR07: access_denied', { error: 'access_denied' }, 'E_SIGN_IN_DENIED'],
    [
      'AR08: another error',
      { error: 'server_error', error_description: '<b>x</b>\u001b[31m\r\nX: 1' },
      'E_AUTHORIZATION_ERROR',
    ],
    ['RG08: an unknown client', { error: 'unauthorized_client' }, 'E_CLIENT_REFUSED'],
    ['AR09: neither a code nor an error', {}, 'E_AUTHORIZATION_ERROR'],
    ['AR09: an empty code', { code: '' }, 'E_AUTHORIZATION_ERROR'],
    ['AR14: a control character in the code', { code: 'a\u0000b' }, 'E_AUTHORIZATION_ERROR'],
  ])('%s is an error without control characters in its message', (_, values, code) => {
    const verdict = parseAuthorizationResponse(params({ state: state.reveal(), iss: issuer, ...values }), expected);
    expect(verdict).toMatchObject({ kind: 'refused', error: { code } });
    if (verdict.kind === 'refused') expect(verdict.error.message).not.toMatch(/[\u0000-\u001f]/);
  });

  it('is rejected if it contains a parameter twice', () => {
    const verdict = parseAuthorizationResponse(
      new URLSearchParams(`state=${state.reveal()}&iss=${issuer}&code=a&code=b`),
      expected,
    );
    expect(verdict).toMatchObject({ kind: 'refused', error: { code: 'E_AUTHORIZATION_ERROR' } });
  });
});
