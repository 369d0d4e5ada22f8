import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp } from '../../../electron/core/http/client.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import type { Http } from '../../../electron/core/http/http.ts';
import { refresh } from '../../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { clientAt, withEndpoint } from '../../fixtures/token-endpoint-rig.ts';

let http: Http;
beforeEach(() => {
  http = createHttp();
});
afterEach(() => http.close());

describe('a token request', () => {
  it('form-encodes client ID and secret in client_secret_basic (RFC 6749 2.3.1)', () =>
    withEndpoint({}, async (seen, origin) => {
      const client = clientAt(origin, {
        clientId: 'default:oac1',
        clientAuth: 'client_secret_basic',
        clientSecret: new Secret('s:%/+ ü'),
      });
      await refresh(client, new Secret('r'), {}, { http });
      const [id, secret] = Buffer.from((seen[0]?.headers.authorization ?? '').slice(6), 'base64')
        .toString()
        .split(':');
      expect(decodeURIComponent((id ?? '').replaceAll('+', ' '))).toBe('default:oac1');
      expect(decodeURIComponent((secret ?? '').replaceAll('+', ' '))).toBe('s:%/+ ü');
      expect(seen[0]?.body).not.toContain('client_secret');
    }));

  it('does not encode unreserved characters, for servers that do not decode', () =>
    withEndpoint({}, async (seen, origin) => {
      await refresh(
        clientAt(origin, {
          clientId: 'my-app_1.x',
          clientAuth: 'client_secret_basic',
          clientSecret: new Secret('a-b.c_d'),
        }),
        new Secret('r'),
        {},
        { http },
      );
      expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('my-app_1.x:a-b.c_d').toString('base64')}`);
    }));

  it('sends the secret only in the body with client_secret_post', () =>
    withEndpoint({}, async (seen, origin) => {
      await refresh(
        clientAt(origin, { clientAuth: 'client_secret_post', clientSecret: new Secret('s:%/+ ') }),
        new Secret('r'),
        {},
        { http },
      );
      expect(new URLSearchParams(seen[0]?.body).get('client_secret')).toBe('s:%/+ ');
      expect(seen[0]?.headers.authorization).toBeUndefined();
    }));

  it('replaces a resource in the query of the endpoint by its own, byte-exact, in the body', () =>
    withEndpoint({}, async (seen, origin) => {
      await refresh(
        clientAt(origin, { tokenEndpoint: `${origin}/token?resource=other&x=1` }),
        new Secret('r'),
        {},
        { http },
      );
      expect(seen[0]?.url).toBe('/token?x=1');
      expect(new URLSearchParams(seen[0]?.body).getAll('resource')).toEqual(['https://mcp.example/a?b=c%20d']);
    }));

  it('accepts JSON and does not name openid-client', () =>
    withEndpoint({}, async (seen, origin) => {
      await refresh(clientAt(origin), new Secret('r'), { scopes: ['a', 'b'] }, { http });
      expect(seen[0]?.headers).toMatchObject({ accept: 'application/json' });
      expect(seen[0]?.headers['user-agent'] ?? '').not.toContain('openid');
      expect(new URLSearchParams(seen[0]?.body).get('scope')).toBe('a b');
    }));
});
