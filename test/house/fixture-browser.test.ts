import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServerOptions } from '../fixtures/authorization-server.ts';
import { browserProgram, httpBrowser, withParameter } from '../fixtures/browser.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startMcpServer, type McpServerOptions } from '../fixtures/mcp-server.ts';
import { clientByHand } from '../fixtures/sign-in-by-hand.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

async function pair(options: AuthorizationServerOptions = {}, mcpOptions: McpServerOptions = {}) {
  const authorizationServer = await startAuthorizationServer(options);
  closing.push(authorizationServer.close);
  const mcp = await startMcpServer({ authorizationServer, ...mcpOptions });
  closing.push(mcp.close);
  const client = await clientByHand(authorizationServer.issuer, mcp.url, 'mcp:tools offline_access');
  closing.push(client.close);
  return { authorizationServer, mcp, client, browser: httpBrowser() };
}
describe('the browser', () => {
  it('stays signed in until its cookies are cleared', async () => {
    const { authorizationServer, client, browser } = await pair();
    await client.signIn(browser);
    await client.signIn(browser);
    expect(authorizationServer.counts).toMatchObject({ loginPages: 1, consentPages: 2 });
    browser.clearCookies();
    await client.signIn(browser);
    expect(authorizationServer.counts.loginPages).toBe(2);
    expect(browser.openings).toBe(3);
  });

  it.each(['deny', 'denyLogin'] as const)('can cancel the sign-in (%s)', async (option) => {
    const { client, browser } = await pair();
    browser.options = { [option]: true };
    await expect(client.signIn(browser)).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('can change the final redirect, deliver it twice, or never finish', async () => {
    const { client, browser } = await pair();
    browser.options = { tamper: withParameter('state', 'another') };
    await expect(client.signIn(browser)).rejects.toThrow(/state|invalid response/i);
    browser.options = { tamper: withParameter('iss', 'https://evil.example') };
    await expect(client.signIn(browser)).rejects.toThrow(/iss|invalid response/i);
    browser.options = { deliveries: 2 };
    await client.signIn(browser);
    browser.options = { neverFinish: true };
    void client.signIn(browser);
    await until(() => browser.last?.status === 0, 'the browser has left');
  });

  it('stops at a wrong password', async () => {
    const { client, browser } = await pair();
    browser.options = { login: { user: 'ada', password: 'wrong' } };
    void client.signIn(browser);
    await until(() => browser.last, 'the login page came back');
    expect(browser.last).toMatchObject({ status: 401, text: expect.stringContaining('do not match') as string });
  });

  it('also runs as a program, as $BROWSER', async () => {
    const { client } = await pair();
    let exit: number | null = null;
    const program = {
      ...httpBrowser(),
      open: (url: URL | string) =>
        new Promise<never>((resolve) => {
          const child = spawn(process.execPath, [browserProgram, String(url)], { stdio: 'ignore' });
          child.once('exit', (code) => {
            exit = code;
            resolve(undefined as never);
          });
        }),
    };
    expect((await client.signIn(program)).access_token).toBeTypeOf('string');
    expect(exit).toBe(0);
  });
});
