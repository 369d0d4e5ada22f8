import { describe, expect, it } from 'vitest';
import { registerClient } from '../../../electron/core/oauth/registration/registration-request.ts';
import { answering, fault, rounds, seed } from '../../fixtures/fuzz.ts';
import { damaged, distortedJson } from '../../fixtures/random.ts';

describe(`client registration under random damage, seed ${seed}`, () => {
  it('turns a registration response into a usable client, or into an error', async () => {
    const redirectUri = 'http://127.0.0.1:33427/callback/x';
    const good = {
      client_id: 'c',
      client_secret: 's',
      client_secret_expires_at: 0,
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'client_secret_basic',
      registration_access_token: 't',
      registration_client_uri: 'https://login.example/register/c',
    };
    const authorizationServer = {
      issuer: 'https://login.example',
      authorization_endpoint: 'https://login.example/a',
      token_endpoint: 'https://login.example/t',
    };
    let clients = 0;
    await rounds(1_500, async (random) => {
      const value = random.chance(0.2) ? { error: 'invalid_client_metadata', error_description: 'scope' } : good;
      const body = random.chance(0.4)
        ? Buffer.from(damaged(random, JSON.stringify(value)))
        : Buffer.from(distortedJson(random, value));
      const http = answering(() => ({ status: random.pick([200, 201, 201, 201, 302, 400, 429, 500]), body }));
      await fault(async () => {
        const answer = await registerClient(http, {
          endpoint: 'https://login.example/register',
          authorizationServer,
          allow: ['public'],
          redirectUri,
          scopes: ['a'],
        });
        if (answer.kind !== 'registered') return;
        clients += 1;
        const { clientId, management, secretExpiresAt = 1 } = answer.client;
        expect(clientId).toMatch(/^[\x20-\x7e]{1,2000}$/);
        expect(secretExpiresAt).toBeGreaterThan(0);
        if (management) expect(new URL(management.uri).origin).toBe('https://login.example');
      });
    });
    expect(clients).toBeGreaterThan(200);
  });
});
