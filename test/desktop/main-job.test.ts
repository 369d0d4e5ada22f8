import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServer } from '../fixtures/authorization-server.ts';
import { browserProgram } from '../fixtures/browser.ts';
import { startHost, textOf, type Host } from '../fixtures/host.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { until } from '../fixtures/wait.ts';
import { launchApp, newDataFolder, readLog, root, type DesktopApp } from './app.ts';
import { storedSecrets } from './secrets.ts';
import { startDesktopSession, type DesktopSession } from './session.ts';

/** The whole main job in the real app. Each test continues where the one before ended. */
describe('the main flow in the window', () => {
  let session: DesktopSession;
  let as: AuthorizationServer;
  let mcp: RunningMcpServer;
  let app: DesktopApp;
  let host: Host;
  let folder: Awaited<ReturnType<typeof newDataFolder>>;
  const launch = () => launchApp(session, { dataDir: folder.dataDir, env: { BROWSER: browserProgram } });
  const echo = async (text: string) => textOf(await host.call('echo', { text }));

  beforeAll(async () => {
    session = await startDesktopSession();
    as = await startAuthorizationServer({ accessTokenSeconds: 60, accessTokens: 'jwt' });
    mcp = await startMcpServer({ authorizationServer: as });
    folder = await newDataFolder();
    app = await launch();
  });

  afterAll(async () => {
    await host?.close().catch(() => {});
    await app?.quit().catch(() => {});
    await mcp?.close();
    await as?.close();
    await session?.stop();
    await folder?.remove();
  });

  it('starts with an empty list and offers to add a server', async () => {
    await app.page.getByRole('button', { name: 'Add your first server' }).waitFor();
  });

  it('adds a server by its address and signs in through the browser', async () => {
    const { page } = app;
    await page.getByRole('button', { name: 'Add your first server' }).click();
    await page.getByLabel('Server address').fill(mcp.url);
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText('This server requires a sign-in').waitFor();
    await page.getByLabel('Name').fill('work');
    await page.getByRole('button', { name: 'Add and sign in' }).click();
    await page
      .getByText(/^Signed in/)
      .first()
      .waitFor();
    expect(as.counts).toMatchObject({ registrations: 1, authorizationRequests: 1, codeExchangesGranted: 1 });
  });

  it('stores the refresh token in the Secret Service, and no access token', async () => {
    const kept = (await storedSecrets(session.busAddress)).map(({ password }) => password).join('\n');
    const { access, refresh } = as.issuedTokens();
    expect(kept).toContain(refresh.at(-1));
    expect(access.length).toBeGreaterThan(0);
    for (const token of access) expect(kept).not.toContain(token);
  });

  it('lets an MCP host call a tool through the bridge', async () => {
    const snippets = await app.page.evaluate(() => window.keybridge.call('hostSnippets', { server: 'work' }));
    const text = JSON.stringify(snippets);
    expect(text).toContain('keybridge.cjs');
    host = startHost(process.execPath, [path.join(root, 'dist/keybridge.cjs'), 'connect', 'work'], {
      PATH: process.env['PATH'],
      KEYBRIDGE_DATA_DIR: folder.dataDir,
    });
    expect((await host.initialize()).error).toBeUndefined();
    expect(await echo('hello from a host')).toContain('hello from a host');
  });

  it('continues with one refresh after the server revoked the access token early', async () => {
    const before = as.counts.refreshesGranted;
    as.revokeAccessTokens();
    expect(await echo('after the revocation')).toContain('after the revocation');
    expect(as.counts.refreshesGranted).toBe(before + 1);
    expect(as.counts.authorizationRequests).toBe(1);
  });

  it('is still signed in after a restart, and the same bridge continues with one refresh and no browser', async () => {
    const before = as.counts.refreshesGranted;
    await app.quit();
    // Logged only if everything was closed before the limit of the clean-up.
    expect(await readLog(folder.dataDir)).toContain('"event":"app_ended"');
    app = await launch();
    await app.page
      .getByText(/^Signed in/)
      .first()
      .waitFor();
    expect(
      await until(
        async () => (await echo('after the restart')).includes('after the restart'),
        'a call after the restart',
        20_000,
      ),
    ).toBe(true);
    expect(as.counts).toMatchObject({ refreshesGranted: before + 1, authorizationRequests: 1 });
  });

  it('revokes the sign-in, deletes it from the Secret Service and returns an error to the host', async () => {
    const { page } = app;
    await page.getByRole('button', { name: /work/ }).first().click();
    await page.getByRole('button', { name: 'Sign out' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
    await until(() => as.counts.revocations > 0, 'the revocation');
    await page
      .getByText(/^Signed out/)
      .first()
      .waitFor();
    // keytar fails to read the list while an item is being deleted.
    const isDeleted = async () => {
      const kept = await storedSecrets(session.busAddress).catch(() => undefined);
      return kept && as.issuedTokens().refresh.every((token) => !JSON.stringify(kept).includes(token));
    };
    await until(isDeleted, 'the refresh tokens to be gone from the Secret Service');
    expect(await echo('too late')).toContain('ign in');
  });

  it('writes no token to its log', async () => {
    const log = await readLog(folder.dataDir);
    expect(log).toContain('app_started');
    for (const secret of as.secrets()) expect(log).not.toContain(secret);
  });
});
