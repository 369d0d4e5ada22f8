import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Status } from '../../shared/model.ts';
import { startAuthorizationServer, type AuthorizationServer } from '../fixtures/authorization-server.ts';
import { browserProgram, httpBrowser } from '../fixtures/browser.ts';
import { startHost, textOf, type Host } from '../fixtures/host.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { until } from '../fixtures/wait.ts';
import { launchApp, newDataFolder, root, type DesktopApp } from './app.ts';
import { storedSecrets } from './secrets.ts';
import { startDesktopSession, type DesktopSession } from './session.ts';
import { lines } from './tray-menu.ts';

/** Two people on one server, in the real window. Each test continues where the one before ended. */
describe('two accounts of a server in the window', () => {
  let session: DesktopSession;
  let as: AuthorizationServer;
  let mcp: RunningMcpServer;
  let app: DesktopApp;
  let folder: Awaited<ReturnType<typeof newDataFolder>>;
  const hosts: Host[] = [];

  const status = (): Promise<Status> =>
    app.page.evaluate(async () => {
      const reply = await window.keybridge.call('status', undefined);
      return (reply as { value: Status }).value;
    });
  const entry = async (account: string) => (await status()).servers.find((one) => one.account?.name === account);
  /** The user whose token the server gets from a host that names this account, or none. */
  async function whoami(...account: string[]): Promise<string> {
    const host = startHost(process.execPath, [path.join(root, 'dist/keybridge.cjs'), 'connect', 'work', ...account], {
      PATH: process.env['PATH'],
      KEYBRIDGE_DATA_DIR: folder.dataDir,
    });
    hosts.push(host);
    await host.initialize();
    return textOf(await host.call('whoami'));
  }

  beforeAll(async () => {
    session = await startDesktopSession();
    as = await startAuthorizationServer({ users: { ada: 'lovelace', grace: 'hopper' } });
    mcp = await startMcpServer({ authorizationServer: as });
    folder = await newDataFolder();
    app = await launchApp(session, { dataDir: folder.dataDir, env: { BROWSER: browserProgram } });
    app.page.setDefaultTimeout(15_000);
  });

  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.close().catch(() => {})));
    await app?.quit().catch(() => {});
    await mcp?.close();
    await as?.close();
    await session?.stop();
    await folder?.remove();
  });

  it('start with one account, whose page offers to add another', async () => {
    const { page } = app;
    await page.getByRole('button', { name: 'Add your first server' }).click();
    await page.getByLabel('Server address').fill(mcp.url);
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByLabel('Name').fill('work');
    await page.getByRole('button', { name: 'Add and sign in' }).click();
    await page
      .getByText(/^Signed in/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Add account' }).waitFor();
  });

  it('show an error at the field for a name that is not valid', async () => {
    const { page } = app;
    await page.getByRole('button', { name: 'Add account' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add an account to work' });
    await dialog.getByLabel('Name').fill('Two Words');
    await dialog.getByRole('button', { name: 'Add and sign in' }).click();
    expect(await dialog.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
    await dialog.getByText('Use lowercase letters').waitFor();
  });

  it('do not keep a new account whose sign-in was cancelled', async () => {
    const { page } = app;
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('nobody');
    await dialog.getByLabel(/Do not open my browser/).check();
    await dialog.getByRole('button', { name: 'Add and sign in' }).click();
    await page.getByText('Signing in as another person?').waitFor();
    // A click right after the start of a sign-in is ignored, because it may belong to a double click.
    const cancel = async () => {
      await page
        .getByRole('button', { name: 'Cancel', exact: true })
        .click({ timeout: 1_000 })
        .catch(() => {});
      return (await status()).servers.length === 1;
    };
    await until(cancel, 'the account to go');
    await page.getByRole('heading', { name: 'work', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Add account' }).click();
  });

  it('let the second user sign in with the link for a private window', async () => {
    const { page } = app;
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('second');
    await dialog.getByLabel(/Do not open my browser/).check();
    await dialog.getByRole('button', { name: 'Add and sign in' }).click();
    await page.getByRole('heading', { name: 'work second' }).waitFor();
    await page.getByText('Signing in as another person?').waitFor();
    const link = await until(async () => {
      const state = (await entry('second'))?.state;
      return state?.kind === 'signing_in' && state.url;
    }, 'the link');
    expect(as.counts.authorizationRequests).toBe(1);
    await httpBrowser({ login: { user: 'grace', password: 'hopper' } }).open(link);
    await until(async () => (await entry('second'))?.state.kind === 'signed_in', 'the second sign-in');
    expect(await entry('second')).toMatchObject({ identity: expect.stringContaining('grace') });
  });

  it('keep both refresh tokens, and each host uses the account that it names', async () => {
    const stored = JSON.stringify(await storedSecrets(session.busAddress));
    for (const token of as.issuedTokens().refresh.slice(-2)) expect(stored).toContain(token);
    expect(await whoami()).toBe('ada');
    expect(await whoami('--account', 'second')).toBe('grace');
  });

  it('are both listed under the server’s name in the window and in the tray', async () => {
    const { page } = app;
    await page.getByRole('button', { name: 'Servers', exact: true }).click();
    await page.getByRole('heading', { name: 'Ready', exact: true }).waitFor();
    const rows = page.getByRole('list', { name: 'work' }).getByRole('listitem');
    await until(async () => (await rows.count()) === 2, 'two rows');
    await rows
      .filter({ hasText: 'grace' })
      .getByText(/^Signed in$/)
      .waitFor();
    const labels = lines(await (await app.tray()).menu()).map(({ label }) => label);
    expect(labels.some((label) => label.startsWith('work: Both accounts ready'))).toBe(true);
    expect(labels.some((label) => label.startsWith('second: Signed in'))).toBe(true);
  });

  it('put the account into the entry for an app unless it is the default account', async () => {
    const { page } = app;
    await page.getByRole('button', { name: 'Connect an app: work (second)' }).click();
    await page.getByText('"--account"').first().waitFor();
    await page.getByRole('button', { name: /^work/ }).first().click();
  });

  it('switch hosts that name no account when another account becomes the default', async () => {
    const { page } = app;
    await page.getByRole('button', { name: /Make default/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make default' }).click();
    await until(async () => (await entry('second'))?.account?.isDefault, 'the new default');
    expect(await whoami()).toBe('grace');
  });

  it('can be renamed, with an error at the field for a name that is taken', async () => {
    const { page } = app;
    const other = (await status()).servers.find((one) => one.account?.isDefault === false)?.account?.name ?? '';
    await page.getByRole('button', { name: /^Rename/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill(other);
    await dialog.getByRole('button', { name: 'Rename' }).click();
    await dialog.getByText('already has an account').waitFor();
    await dialog.getByLabel('Name').fill('team');
    await dialog.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { name: 'work team' }).waitFor();
  });

  it('are signed out and removed one by one, without an effect on the other', async () => {
    const { page } = app;
    await page.getByRole('button', { name: /^Remove account/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove account' }).click();
    await page.getByText('team was removed').waitFor();
    await until(async () => (await status()).servers.length === 1, 'one entry');
    const [left] = (await status()).servers;
    expect(left).toMatchObject({ name: 'work', state: { kind: 'signed_in' } });
    expect(left?.account).toBeUndefined();
    expect(as.counts.revocations).toBeGreaterThan(0);
    expect(await whoami()).toBe('ada');
  });
});
