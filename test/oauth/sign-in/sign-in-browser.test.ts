import { describe, expect, it } from 'vitest';
import { AppError } from '../../../electron/core/base/errors.ts';
import { authorizationRequest } from '../../../electron/core/oauth/authorization/authorization-request.ts';
import { openAuthorizationUrl } from '../../../electron/core/oauth/authorization/open-url.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { startFaultySignIn } from '../../fixtures/faulty-sign-in.ts';
import { until } from '../../fixtures/wait.ts';

const closing = closeAfterEach();

describe('a sign-in in the browser', () => {
  it('CB10: waits if the browser cannot be opened, with the URL in the status but not in the log', async () => {
    const { login, start, server } = await startFaultySignIn(closing, {
      openBrowser: async () => Promise.reject(new AppError('E_BROWSER', 'There is no browser.')),
    });
    const done = start();
    const shown = await until(() => {
      const progress = login.signIns.progress(server.id);
      return progress?.browserFailed && progress.url;
    }, 'the status shows it');
    expect(login.log.join('')).toContain('browser_failed');
    expect(login.log.join('')).not.toContain(new URL(shown).searchParams.get('state') ?? '-');
    await login.browser.open(shown);
    await done;
  });

  it('opens no browser if the caller wants to do that', async () => {
    const { login, start, server } = await startFaultySignIn(closing);
    const done = start(false);
    const url = await until(() => login.signIns.progress(server.id)?.url, 'the URL is in the status');
    expect(login.opened).toEqual([]);
    await login.browser.open(url);
    await done;
  });

  it('accepts the pasted address from a browser on another computer', async () => {
    const { login, remote, start, server, credential } = await startFaultySignIn(closing);
    login.browser.options = { neverFinish: true };
    const done = start();
    const { lastUrl } = await until(() => login.browser.last, 'the page has loaded');
    for (const wrong of [
      'nonsense',
      'https://example.com/?code=secret-code',
      lastUrl.replace('state=', 'state=x'),
      lastUrl.replace('/callback/', '/other/'),
    ]) {
      const error = await failure(login.signIns.finish(server.id, wrong));
      expect(error.code).toBe('E_REDIRECT_URL');
      expect(error.message).not.toContain('secret-code');
    }
    await login.signIns.finish(server.id, `  ${lastUrl}\n`);
    await done;
    expect(await credential()).toBeDefined();
    expect(remote.counts.codeExchanges).toBe(1);
    expect((await failure(login.signIns.finish(server.id, lastUrl))).code).toBe('E_REDIRECT_URL');
  });

  it.each([
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://example.com/',
    'https://user@example.com/',
    'ms-msdt:/x',
    'vscode://x',
  ])('DM03 DM04 DM06: never opens %s', (text) => {
    const opened: URL[] = [];
    expect(() => openAuthorizationUrl(async (url) => void opened.push(url), new URL(text))).toThrow(AppError);
    expect(opened).toEqual([]);
  });

  it('sends each of its parameters once, even if the endpoint already contains them', async () => {
    const { url } = await authorizationRequest({
      authorizationServer: {
        issuer: 'https://a.example',
        authorization_endpoint:
          'https://a.example/authorize?resource=theirs&tenant=1&redirect_uri=https://evil.example' +
          '&state=x&client_id=y&code_challenge_method=plain',
        token_endpoint: 'https://a.example/token',
      },
      clientId: 'me',
      redirectUri: 'http://127.0.0.1:1/callback/x',
      resource: 'HTTPS://Mcp.example/a b',
      scopes: [],
    });
    const counts = [...url.searchParams.keys()].toSorted();
    expect(counts).toEqual([...new Set(counts)]);
    expect(url.searchParams.get('resource')).toBe('HTTPS://Mcp.example/a b');
    expect(url.searchParams.get('tenant')).toBe('1');
    expect(url.searchParams.has('scope')).toBe(false);
    expect(url.searchParams.has('prompt')).toBe(false);
  });
});
