import { describe, expect, it } from 'vitest';
import { sameSite } from '../../../electron/core/http/same-site.ts';
import {
  endpointHosts,
  needsConfirmation,
  type SignInMethod,
  type Trust,
} from '../../../electron/core/oauth/authorization/endpoint-hosts.ts';
import type { AuthorizationServer } from '../../../electron/core/oauth/model.ts';
import { hostTexts } from '../../../shared/sign-in-hosts.ts';

const metadata = (more: Record<string, unknown> = {}): AuthorizationServer => ({
  issuer: 'https://login.honest.example',
  authorization_endpoint: 'https://login.honest.example/authorize',
  token_endpoint: 'https://api.honest.example/token',
  ...more,
});
const asks = (server: AuthorizationServer, more: Partial<Trust> = {}, method: SignInMethod = 'page') =>
  needsConfirmation(endpointHosts(server, method), { named: server.issuer, preset: undefined, confirmed: [], ...more });

describe('two hosts of one site', () => {
  it.each([
    ['mcp.notion.com', 'api.notion.com', true],
    ['honest.co.uk', 'evil.co.uk', false],
    ['alice.github.io', 'mallory.github.io', false],
    ['a.pages.dev', 'b.pages.dev', false],
    ['honest.example', 'honest.example.evil.example', false],
    ['honest.example', 'evilhonest.example', false],
    ['idp', 'idp', true],
    ['idp', 'other', false],
    ['10.0.0.1', '10.0.0.2', false],
    ['127.0.0.1', 'localhost', true],
    ['127.0.0.1', '127.0.0.3', false],
    ['[2001:db8::1]', '[2001:db8::2]', false],
  ])('are %s and %s: %s', (one, other, same) => {
    expect(sameSite(one, other)).toBe(same);
    expect(sameSite(other, one)).toBe(same);
  });
});

describe('a confirmation of the hosts of a sign-in', () => {
  it('is not needed for endpoints of one site', () => {
    expect(asks(metadata())).toBe(false);
  });

  it.each([
    'authorization_endpoint',
    'token_endpoint',
    'pushed_authorization_request_endpoint',
    'registration_endpoint',
    'revocation_endpoint',
    'introspection_endpoint',
    'userinfo_endpoint',
  ])('is needed for a %s on another site', (name) => {
    expect(asks(metadata({ [name]: 'https://mallory.example/x' }))).toBe(true);
  });

  it('is needed for a device authorization endpoint on another site, for a sign-in by device code', () => {
    const server = metadata({ device_authorization_endpoint: 'https://mallory.example/device' });
    expect([asks(server, {}, 'device'), asks(server, {}, 'page')]).toEqual([true, false]);
  });

  it('is needed if only the issuer belongs to another site', () => {
    expect(asks(metadata({ issuer: 'https://mallory.example' }))).toBe(true);
  });

  const google = {
    issuer: 'https://accounts.google.com',
    authorization_endpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
    token_endpoint: 'https://oauth2.googleapis.com/token',
    userinfo_endpoint: 'https://openidconnect.googleapis.com/v1/userinfo',
  };

  it('is not needed for hosts that a preset lists for one provider', () => {
    expect(asks(google)).toBe(false);
    expect(
      asks({
        issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A',
        authorization_endpoint: 'https://x.auth.eu-west-1.amazoncognito.com/a',
        token_endpoint: 'https://x.auth.eu-west-1.amazoncognito.com/t',
      }),
    ).toBe(false);
  });

  it('is needed if the preset is turned off, was chosen by name, or does not list the host', () => {
    expect(asks(google, { preset: 'none' })).toBe(true);
    expect(
      asks(
        { ...google, issuer: 'https://mallory.example', token_endpoint: 'https://mallory.example/t' },
        { preset: 'google' },
      ),
    ).toBe(true);
    expect(asks({ ...google, token_endpoint: 'https://mallory.googleapis.com/token' })).toBe(true);
    expect(asks({ ...google, token_endpoint: 'https://oauth2.googleapis.com:444/token' })).toBe(true);
  });

  it('is valid for exactly the confirmed hosts of the issuer', () => {
    const server = metadata({ token_endpoint: 'https://tokens.example/t' });
    const confirmed = [endpointHosts(server, 'page')];
    expect(asks(server, { confirmed })).toBe(false);
    expect(asks({ ...server, token_endpoint: 'https://login.tokens.example/t' }, { confirmed })).toBe(true);
    expect(asks({ ...server, revocation_endpoint: 'https://tokens.example/r' }, { confirmed })).toBe(true);
    expect(asks({ ...server, authorization_endpoint: 'https://tokens.example/a' }, { confirmed })).toBe(true);
    expect(asks({ ...server, issuer: 'https://login.honest.example/other' }, { confirmed })).toBe(true);
  });

  it('names the page, the receiver of the sign-in, and each other host once', () => {
    const { hosts } = endpointHosts(
      metadata({
        token_endpoint: 'https://tokens.example/t',
        registration_endpoint: 'https://third.example/r',
        revocation_endpoint: 'https://third.example/x',
      }),
      'page',
    );
    expect(hostTexts(hosts)).toEqual([
      'you sign in at login.honest.example',
      'the authorization code is sent to tokens.example',
      'Keybridge registers at third.example',
    ]);
  });
});
