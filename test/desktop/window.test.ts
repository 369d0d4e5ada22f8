import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerDetail, Status } from '../../shared/model.ts';
import { startAuthorizationServer, type AuthorizationServer } from '../fixtures/authorization-server.ts';
import { browserProgram, httpBrowser } from '../fixtures/browser.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { startHttpsListener, type HttpsListener } from '../fixtures/https-listener.ts';
import { startSite, type Site } from '../fixtures/site.ts';
import { until } from '../fixtures/wait.ts';
import { launchApp, newDataFolder, type DesktopApp } from './app.ts';
import { storedSecrets } from './secrets.ts';
import { startDesktopSession, type DesktopSession } from './session.ts';

/** What the command line can do, in the real window. Each test continues where the one before ended. */
describe('the window in daily use', () => {
  const own = selfSigned(['localhost']);
  let session: DesktopSession;
  let as: AuthorizationServer;
  /** Has a certificate of a private certificate authority. */
  let intranet: HttpsListener;
  /** Names its authorization server with a trailing slash, which the issuer itself does not have. */
  let site: Site;
  let app: DesktopApp;
  let folder: Awaited<ReturnType<typeof newDataFolder>>;

  const server = (name: string) =>
    app.page.evaluate(
      async (wanted) =>
        ((await window.keybridge.call('status', undefined)) as { value: Status }).value.servers.find(
          (one) => one.name === wanted,
        ),
      name,
    );
  const detail = (name: string) =>
    app.page.evaluate(
      async (wanted) =>
        ((await window.keybridge.call('serverDetail', { server: wanted })) as { value: ServerDetail }).value,
      name,
    );
  const check = async (url: string) => {
    await app.page.getByRole('button', { name: /^Add (your first )?server$/ }).click();
    await app.page.getByLabel('Server address').fill(url);
    await app.page.getByRole('button', { name: 'Check', exact: true }).click();
  };
  const home = () => app.page.getByRole('button', { name: 'Servers', exact: true }).click();

  beforeAll(async () => {
    session = await startDesktopSession();
    folder = await newDataFolder();
    await writeFile(path.join(folder.dataDir, 'ca.pem'), own.cert);
    intranet = await startHttpsListener(
      own,
      (request, response) =>
        void response
          .writeHead(request.url === '/mcp' ? 200 : 404, { 'content-type': 'application/json' })
          .end('{"jsonrpc":"2.0","id":0,"result":{}}'),
    );
    as = await startAuthorizationServer({ deviceFlow: true });
    site = await startSite();
    site.routes['/mcp'] = (_request, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${site.origin}/prm"` }).end();
    site.routes['/keyed'] = (_request, response) => response.writeHead(401).end();
    site.routes['/prm'] = {
      resource: `${site.origin}/mcp`,
      authorization_servers: [`${as.issuer}/`],
      scopes_supported: ['mcp:tools'],
    };
    app = await launchApp(session, { dataDir: folder.dataDir, env: { BROWSER: browserProgram } });
    app.page.setDefaultTimeout(15_000);
  });

  afterAll(async () => {
    await app?.quit().catch(() => {});
    await site?.close();
    await as?.close();
    await intranet?.close();
    await session?.stop();
    await folder?.remove();
  });

  it('adds a server with a private certificate authority after an error at the field for a wrong path', async () => {
    const { page } = app;
    await check(`https://localhost:${intranet.port}/mcp`);
    await page.getByText('Does your company issue its own certificates?').waitFor();
    const file = page.getByLabel('Certificate authorities');
    await file.fill('ca.pem');
    await page.getByRole('button', { name: 'Check again' }).click();
    await page.getByText('Enter the full path, starting').waitFor();
    await until(() => file.evaluate((field) => field === document.activeElement), 'the focus on the field');
    await file.fill(path.join(folder.dataDir, 'no-such.pem'));
    await page.getByRole('button', { name: 'Check again' }).click();
    await page.locator('.field-error').getByText('cannot be read').waitFor();
    await file.fill(path.join(folder.dataDir, 'ca.pem'));
    await page.getByRole('button', { name: 'Check again' }).click();
    await page.getByText('This server answers without a sign-in').waitFor();
    await page.getByLabel('Name').fill('intranet');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: 'intranet', exact: true }).waitFor();
    expect((await detail('intranet')).settings).toEqual({ caFile: path.join(folder.dataDir, 'ca.pem') });
    await home();
  });

  it('adds a server that takes an API key, which goes to the keychain and is not shown', async () => {
    const { page } = app;
    await check(`${site.origin}/keyed`);
    await page.getByLabel('What did the operator give you?').selectOption('key');
    await page.getByRole('button', { name: 'Add with this key' }).click();
    await page.getByText('Enter the key that the server expects').waitFor();
    await page.getByLabel('Key', { exact: true }).fill('the-key-of-ada-0815');
    await page.getByLabel('Header').fill('X-API-Key');
    await page.getByLabel('Name').fill('keyed');
    await page.getByRole('button', { name: 'Add with this key' }).click();
    await page.getByRole('heading', { name: 'keyed', exact: true }).waitFor();
    await until(async () => (await server('keyed'))?.state.kind === 'signed_in', 'the key to be taken');
    expect((await detail('keyed')).settings).toEqual({ grant: 'static_header', headerName: 'X-API-Key' });
    expect(JSON.stringify(await storedSecrets(session.busAddress))).toContain('the-key-of-ada-0815');
    expect(await page.content()).not.toContain('the-key-of-ada-0815');
    await home();
  });

  it('DM02 accepts with one click exactly the two issuers that the check has shown', async () => {
    const { page } = app;
    await check(`${site.origin}/mcp`);
    await page.getByText('The authorization server identifies itself differently').waitFor();
    await page.getByText(`${as.issuer}/`, { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Accept this pair' }).click();
    await page.getByText('This server requires a sign-in').waitFor();
    await page.getByLabel('Name').fill('odd');
    await page.getByRole('button', { name: 'Add and sign in' }).click();
    await until(async () => (await server('odd'))?.state.kind === 'signed_in', 'the sign-in');
    expect((await detail('odd')).settings).toEqual({ issuerException: { named: `${as.issuer}/`, found: as.issuer } });
  });

  it('shows an error at a collapsed setting for a wrong value before it sends anything', async () => {
    const { page } = app;
    await page.locator('summary', { hasText: 'Compatibility' }).click();
    await page.getByRole('button', { name: 'Add parameter: Extra authorization parameters' }).click();
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('state');
    await page.getByRole('textbox', { name: 'Value', exact: true }).fill('mine');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Each parameter needs a name and a value').waitFor();
    expect((await detail('odd')).settings.authorizeParameters).toBeUndefined();
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('audience');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Settings saved').waitFor();
    expect((await detail('odd')).settings.authorizeParameters).toEqual({ audience: 'mine' });
    expect(await page.locator('details.settings-group').last().getAttribute('open')).not.toBeNull();
  });

  it('signs in with a device code that can be copied and shows the time left', async () => {
    const { page } = app;
    await page.locator('summary', { hasText: 'Sign-in' }).click();
    await page.getByLabel('Sign-in method').selectOption('device_code');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Sign in now' }).waitFor();
    // Not in this computer's browser, which would finish before the code is checked.
    await page.evaluate(() => {
      void window.keybridge.call('signIn', { server: 'odd', openBrowser: false });
    });
    const code = page.locator('.user-code');
    await code.waitFor();
    const shown = await until(async () => {
      const state = (await server('odd'))?.state;
      return state?.kind === 'signing_in' && state.url !== undefined && state;
    }, 'the code in the status');
    expect(await code.textContent()).toBe(shown.userCode);
    await page.getByText(/The code is valid for \d+ min/).waitFor();
    await page.getByRole('button', { name: 'Copy the code' }).click();
    expect(await app.electron.evaluate(({ clipboard }) => clipboard.readText())).toBe(shown.userCode);
    await httpBrowser().open(shown.url ?? '');
    await until(async () => (await server('odd'))?.state.kind === 'signed_in', 'the sign-in');
  });

  it('moves the focus to rows, dialogs and back where it was when used by keyboard', async () => {
    const { page } = app;
    await page.getByRole('button', { name: 'Sign out' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await until(
      () =>
        page
          .getByRole('dialog')
          .getByRole('button', { name: 'Cancel' })
          .evaluate((button) => button === document.activeElement),
      'the focus on the safe answer',
    );
    await page.keyboard.press('Escape');
    await until(
      () => page.getByRole('button', { name: 'Sign out' }).evaluate((button) => button === document.activeElement),
      'the focus back',
    );
    await page.getByRole('button', { name: 'Servers', exact: true }).focus();
    await page.keyboard.press('Enter');
    await until(
      () =>
        page.getByRole('button', { name: 'odd', exact: true }).evaluate((button) => button === document.activeElement),
      'the focus on the row that was left',
    );
    await page.keyboard.press('Enter');
    await until(
      () =>
        page
          .getByRole('heading', { name: 'odd', exact: true })
          .evaluate((heading) => heading === document.activeElement),
      'the focus on the heading',
    );
  });

  it('fits into 380 pixels with every section open', async () => {
    const { page } = app;
    const width = () =>
      app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getContentBounds().width);
    await app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(380, 600));
    await until(async () => (await width()) === 380, 'the narrow window');
    const tooWide = () =>
      page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth));
    await page.evaluate(() => {
      for (const fold of document.querySelectorAll('details')) fold.open = true;
    });
    expect(await tooWide()).toBe(0);
    await page.getByRole('button', { name: 'Connect an app' }).click();
    await page.getByRole('tabpanel').waitFor();
    expect(await tooWide()).toBe(0);
    await page.getByRole('button', { name: 'odd', exact: true }).click();
    await home();
    await page.getByRole('button', { name: 'Add server' }).waitFor();
    expect(await tooWide()).toBe(0);
  });

  it('explains what signing out everywhere means, does it, and shows which servers confirmed it', async () => {
    const { page } = app;
    const revocations = as.counts.revocations;
    await page.getByRole('button', { name: 'Sign out everywhere…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Sign out everywhere?' });
    await dialog.getByText(/Keybridge ends 2 sign-ins: .*odd/).waitFor();
    await dialog.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.getByText('Confirmed by the server: odd.').waitFor();
    expect(as.counts.revocations).toBeGreaterThan(revocations);
    expect((await server('odd'))?.state.kind).toBe('signed_out');
    await until(
      async () => (await page.getByRole('button', { name: 'Sign out everywhere…' }).count()) === 0,
      'the button to go',
    );
  });
});
