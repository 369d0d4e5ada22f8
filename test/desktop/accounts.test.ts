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

/** Two people on one server, in the real window. Each test goes on where the one before ended. */
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
  /** Whom the server takes a host for, which names this account or none. */
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

  it('begins with one, whose page offers a second', async () => {
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

  it('says at the field that a name cannot be taken', async () => {
    const { page } = app;
    await page.getByRole('button', { name: 'Add account' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add an account to work' });
    await dialog.getByLabel('Name').fill('Two Words');
    await dialog.getByRole('button', { name: 'Add and sign in' }).click();
    expect(await dialog.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
    await dialog.getByText('Use lowercase letters').waitFor();
  });

  it('does not keep an account to which nobody signs in', async () => {
    const { page } = app;
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('nobody');
    await dialog.getByLabel(/Do not open my browser/).check();
    await dialog.getByRole('button', { name: 'Add and sign in' }).click();
    await page.getByText('Signing in as another person?').waitFor();
    // Just after its start a sign-in takes a click for the second half of a double click.
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

  it('signs the second person in through a private window, by the link that it gives', async () => {
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

  it('keeps both refresh tokens, and each host speaks as the account that it names', async () => {
    const kept = JSON.stringify(await storedSecrets(session.busAddress));
    for (const token of as.issuedTokens().refresh.slice(-2)) expect(kept).toContain(token);
    expect(await whoami()).toBe('ada');
    expect(await whoami('--account', 'second')).toBe('grace');
  });

  it('shows both below the server’s name in the list and in the tray', async () => {
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

  it('gives the entry for an app with the account in it, only where it is not the default one', async () => {
    const { page } = app;
    await page.getByRole('button', { name: 'Connect an app: work (second)' }).click();
    await page.getByText('"--account"').first().waitFor();
    await page.getByRole('button', { name: /^work/ }).first().click();
  });

  it('makes the other the default: hosts that name none change over', async () => {
    const { page } = app;
    await page.getByRole('button', { name: /Make default/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make default' }).click();
    await until(async () => (await entry('second'))?.account?.isDefault, 'the new default');
    expect(await whoami()).toBe('grace');
  });

  it('renames it, and refuses a name that is taken at the field', async () => {
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

  it('signs out and removes the one, and leaves the other as it is', async () => {
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
