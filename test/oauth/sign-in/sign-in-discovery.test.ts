import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../shared/reply.ts';
import { withParameter } from '../../fixtures/browser.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { startFaultySignIn } from '../../fixtures/faulty-sign-in.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { until } from '../../fixtures/wait.ts';

const closing = closeAfterEach();

describe('a sign-in with faulty metadata', () => {
  it.each<[string, string, ErrorCode]>([
    ['DM01', 'as-issuer-mismatch', 'E_ISSUER_MISMATCH'],
    ['DM02', 'as-issuer-slash', 'E_ISSUER_MISMATCH'],
    ['DM03', 'as-authz-file', 'E_ENDPOINT_REFUSED'],
    ['DM04', 'as-authz-javascript', 'E_ENDPOINT_REFUSED'],
    ['DM04', 'as-authz-data', 'E_ENDPOINT_REFUSED'],
    ['DM05', 'as-authz-shell-scheme', 'E_ENDPOINT_REFUSED'],
    ['DM06', 'as-authz-scheme', 'E_ENDPOINT_REFUSED'],
    ['DM07', 'as-authz-flag', 'E_ENDPOINT_REFUSED'],
    ['DM07', 'as-authz-unc', 'E_ENDPOINT_REFUSED'],
    ['DM08', 'as-authz-http', 'E_ENDPOINT_REFUSED'],
    ['DM08', 'as-token-http', 'E_ENDPOINT_REFUSED'],
    ['DM09', 'as-authz-userinfo', 'E_ENDPOINT_REFUSED'],
    ['DM10', 'as-no-pkce', 'E_PKCE_UNSUPPORTED'],
    ['DM11', 'as-plain-only', 'E_PKCE_UNSUPPORTED'],
    ['DM12', 'prm-resource-mismatch', 'E_RESOURCE_MISMATCH'],
    ['DM15', 'prm-as-ssrf', 'E_ADDRESS_REFUSED'],
    ['DM17', 'prm-redirect-internal', 'E_REDIRECTED'],
    ['DM19', 'prm-redirect-loop', 'E_REDIRECTED'],
    ['DM19', 'as-redirect-loop', 'E_REDIRECTED'],
    ['DM20', 'as-redirect-cross-origin', 'E_REDIRECTED'],
    ['DM21', 'prm-huge', 'E_TOO_LARGE'],
    ['DM21', 'as-huge', 'E_TOO_LARGE'],
    ['DM24', 'prm-html', 'E_METADATA_INVALID'],
    ['DM24', 'as-html', 'E_METADATA_INVALID'],
    ['DM25', 'prm-500', 'E_HTTP_STATUS'],
    ['DM25', 'as-500', 'E_HTTP_STATUS'],
    ['DM25', 'as-404', 'E_METADATA_MISSING'],
    ['DM26', 'prm-bad-types', 'E_METADATA_INVALID'],
    ['DM26', 'as-bad-types', 'E_METADATA_INVALID'],
    ['DM26', 'prm-many-as', 'E_METADATA_MISSING'],
    ['DM26', 'as-no-code', 'E_METADATA_INVALID'],
    ['DM28', 'as-reset', 'E_CONNECTION_LOST'],
    ['DM28', 'as-truncated', 'E_CONNECTION_LOST'],
    ['DM31', 'as-down', 'E_CONNECT'],
    ['DM32', 'prm-no-as', 'E_METADATA_INVALID'],
  ])('%s: fails on %s with %s before it registers, opens or stores anything', async (_, scenario, code) => {
    const { login, remote, server, start, credential } = await startFaultySignIn(closing, { scenario });
    const error = await failure(start());
    expect(error).toMatchObject({ code, server: server.name });
    expect(error.message.length).toBeLessThanOrEqual(300);
    expect(login.opened).toEqual([]);
    expect(remote.counts).toMatchObject({ registrations: 0, authorizations: 0, codeExchanges: 0 });
    expect([remote.internalHits, remote.evilHits]).toEqual([0, 0]);
    expect(await credential()).toBeUndefined();
    // It may have learned that the server requires a sign-in, and the server's network.
    expect({ ...login.servers.find(server.id), signInRequired: false, networks: [] }).toEqual(server);
  });

  it('DM23: fails with E_TIMEOUT if the metadata arrives byte by byte without end', { timeout: 40_000 }, async () => {
    const worlds = await Promise.all(
      ['as-slow', 'prm-slow'].map((scenario) => startFaultySignIn(closing, { scenario })),
    );
    const errors = await Promise.all(worlds.map(({ start }) => failure(start())));
    expect(errors.map(({ code }) => code)).toEqual(['E_TIMEOUT', 'E_TIMEOUT']);
    expect(worlds.flatMap(({ login }) => login.opened)).toEqual([]);
  });

  it.each([
    'prm-cross-origin',
    'prm-ssrf',
    'www-auth-garbage',
    'www-auth-huge',
    'prm-resource-parent',
    'prm-ui-injection',
  ])('DM13 DM14 DM15 DM29 DM30 DM36: succeeds in spite of %s, and sends nothing to other hosts', async (scenario) => {
    const { remote, start, credential } = await startFaultySignIn(closing, { scenario });
    await start();
    expect(await credential()).toBeDefined();
    expect([remote.internalHits, remote.evilHits]).toEqual([0, 0]);
  });

  it('DM05: passes shell characters to the browser only in their URL encoding', async () => {
    const { login, start } = await startFaultySignIn(closing, { scenario: 'as-authz-shell' });
    await start();
    expect(login.opened[0]).not.toMatch(/["<>\\^`{|}\s]/);
    expect(new URL(login.opened[0] ?? '').href).toBe(login.opened[0]);
  });

  it('DM10: uses S256 if the user allowed a server that does not advertise PKCE', async () => {
    const { remote, start } = await startFaultySignIn(closing, {
      scenario: 'as-no-pkce',
      added: { allowMissingPkce: true },
    });
    await start();
    expect(remote.seen.authorize[0]?.get('code_challenge_method')).toBe('S256');
  });

  it('DM33: sends nothing of the old authorization server to a new one', async () => {
    const { login, remote, start, credential } = await startFaultySignIn(closing);
    await start();
    const before = await credential();
    const secrets = remote.secrets();
    await remote.setScenario('as-migrates');
    remote.evil.answers.set('/register', (_, response) => sendJson(response, 201, { client_id: 'evil-client' }));
    login.browser.options = { neverFinish: true };
    const error = failure(start());
    await until(() => login.opened.length === 2, 'the browser is open at the new one');
    expect(new URL(login.opened[1] ?? '').searchParams.get('client_id')).toBe('evil-client');
    login.signIns.cancel((await credential())?.id ?? '');
    expect((await error).code).toBe('E_CANCELLED');
    for (const secret of secrets) expect(remote.evil.requests.join()).not.toContain(secret);
    expect(await credential()).toEqual(before);
  });

  it('DM34: does not send the code to a token endpoint elsewhere if `iss` names another server', async () => {
    const { login, remote, start } = await startFaultySignIn(closing, { scenario: 'as-token-evil' });
    login.browser.options = { tamper: withParameter('iss', 'https://honest.example') };
    expect((await failure(start())).code).toBe('E_ISS_MISMATCH');
    expect(remote.evilHits).toBe(0);
  });
});
