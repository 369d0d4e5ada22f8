import { describe, expect, it } from 'vitest';
import { createHttp } from '../../../electron/core/http/client.ts';
import { movedFrom } from '../../../electron/core/oauth/tokens/issuer-moved.ts';
import type { Secret } from '../../../electron/core/base/secret.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { startProduct } from '../../fixtures/product.ts';
import { startSite } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startFaultyFor, startStoredSignIn, storedItems } from '../../fixtures/stored-sign-in.ts';

const closing = closeAfterEach();

describe('moving a server to another authorization server (DM33)', () => {
  it('DM33: sends the refresh to the old authorization server only', async () => {
    const { login, remote, server } = await startStoredSignIn(closing);
    await remote.setScenario('as-migrates');
    const answer = await login.tokens.refreshNow(server.id);
    expect(answer.kind).toBe('token');
    expect(remote.counts.refreshes).toBe(1);
    expect(remote.evilHits).toBe(0);
  });

  it('DM33: registers again and sends no secret, client ID or token of the old issuer to the new one', async () => {
    const { login, remote, server, start } = await startStoredSignIn(closing);
    const [before, secrets] = [storedItems(login), remote.secrets()];
    const old = login.servers.find(server.id)?.registrations ?? [];
    await remote.setScenario('as-migrates');
    remote.evil.answers.set('/register', (_, response) => sendJson(response, 201, { client_id: 'another-client' }));
    login.browser.options = { neverFinish: true };
    const ended = failure(start());
    await until(() => login.opened.length === 2, 'the browser opens the new sign-in page');
    login.signIns.cancel(server.id);
    expect((await ended).code).toBe('E_CANCELLED');
    const heard = remote.evil.requests.join('\n');
    expect(remote.evil.requests.length).toBeGreaterThan(1);
    for (const secret of [...secrets, ...old.map(({ client_id }) => client_id)]) expect(heard).not.toContain(secret);
    expect(login.opened[1]).not.toContain(old[0]?.client_id);
    // The new sign-in was not finished: the old one and its registration are unchanged.
    expect(storedItems(login)).toBe(before);
    expect(login.servers.find(server.id)?.registrations).toEqual(expect.arrayContaining(old));
  });
});

describe('a stored sign-in after its server moved (DM33)', () => {
  /** The whole core with a stored sign-in, and the access tokens that a bridge would get. */
  async function product() {
    const [started, remote] = [await startProduct(), await startFaultyFor(closing)];
    let open = true;
    const close = async () => {
      if (open) await started.close();
      open = false;
    };
    closing.push(close);
    await started.call('addServer', { url: remote.url, name: 'work' });
    await started.call('signIn', { server: 'work' });
    const connection = started.app.connect('work');
    const token = async (rejected?: Secret) => connection.accessToken(rejected ? { rejected } : {});
    const state = () => started.app.status.current().servers[0]?.state;
    /** A call, a 401, a refresh, and a second 401. */
    const refusedTwice = async () => {
      for (let round = 0; round < 2; round += 1) {
        const answer = await token();
        if (answer.kind === 'token') await token(answer.token);
      }
      return token();
    };
    return { started: { ...started, close }, remote, token, state, refusedTwice };
  }

  it('DM33 as-moved: asks for a new sign-in, names both issuers, and sends nothing to the new one', async () => {
    const { started, remote, state, refusedTwice } = await product();
    await remote.setScenario('as-moved');
    const answer = await refusedTwice();
    expect(answer).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
    const { message } = 'error' in answer ? answer.error : { message: '' };
    expect(message).toContain(remote.evil.origin);
    expect(message).toContain(remote.issuer);
    expect(state()).toMatchObject({ kind: 'needs_sign_in', error: { code: 'E_SIGN_IN_AGAIN' } });
    expect(remote.evilHits).toBe(0);
    expect(remote.counts.refreshes).toBe(1);
    // Once the operator has corrected the metadata, a new sign-in at the old issuer works.
    await remote.setScenario('healthy');
    await started.call('signIn', { server: 'work' });
    expect(state()).toMatchObject({ kind: 'signed_in' });
  });

  it('DM33: is kept if the server rejects valid tokens without having moved', async () => {
    for (const scenario of ['healthy', 'prm-500', 'prm-html', 'prm-no-as', 'prm-resource-mismatch']) {
      const { started, remote, state, token } = await product();
      await remote.setScenario(scenario);
      const first = await token();
      if (first.kind !== 'token') throw new Error(first.kind);
      const second = await token(first.token);
      if (second.kind !== 'token') throw new Error(second.kind);
      expect(await token(second.token), scenario).toMatchObject({
        kind: 'refused',
        error: { code: 'E_SERVER_REFUSED' },
      });
      expect(state(), scenario).toMatchObject({ kind: 'signed_in' });
      // Closed before the next: each keeps a port open for its redirect.
      await started.close();
    }
  });

  it('DM33: is kept if the old issuer is still listed or equal by an issuer exception', async () => {
    const [mcp, http] = [await startSite(), createHttp()];
    closing.push(
      () => mcp.close(),
      () => http.close(),
    );
    const names = (...authorization_servers: string[]) => {
      mcp.routes['/.well-known/oauth-protected-resource/mcp'] = {
        resource: `${mcp.origin}/mcp`,
        authorization_servers,
      };
    };
    const look = (settings = {}) =>
      movedFrom({ url: `${mcp.origin}/mcp`, settings, networks: [] }, 'https://old.example', http);
    names('https://new.example', 'https://old.example');
    expect(await look()).toBeUndefined();
    names('https://old.example/');
    expect(await look()).toBeUndefined();
    names('https://new.example');
    expect((await look())?.message).toContain('https://new.example');
    expect(
      await look({ issuerException: { named: 'https://new.example', found: 'https://old.example' } }),
    ).toBeUndefined();
  });

  it(
    'DM33 as-moved-down: ends with an error for calls, not endless retries, if the old issuer is down too',
    { timeout: 60_000 },
    async () => {
      const { remote, state, token } = await product();
      const first = await token();
      await remote.setScenario('as-moved-down');
      const answer = await token(first.kind === 'token' ? first.token : undefined);
      expect(answer).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
      expect(state()).toMatchObject({ kind: 'needs_sign_in' });
      expect([remote.counts.refreshes, remote.evilHits]).toEqual([0, 0]);
    },
  );
});
