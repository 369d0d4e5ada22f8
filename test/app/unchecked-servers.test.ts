import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { trayModel } from '../../electron/desktop/tray/tray-model.ts';
import type { ServerStatus, Status } from '../../shared/model.ts';
import { nextStep } from '../../shared/server-state.ts';
import { overallText, stateLabel } from '../../shared/state-text.ts';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { bareMachine } from '../fixtures/command-line.ts';
import { freePort } from '../fixtures/free-port.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct, type Product, type ProductOptions } from '../fixtures/product.ts';
import { until } from '../fixtures/wait.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';

const closing = closeAfterEach();

async function product(options: ProductOptions = {}): Promise<Product> {
  const one = await startProduct(options);
  closing.push(() => one.close());
  return one;
}

async function openServer(): Promise<RunningMcpServer> {
  const mcp = await startMcpServer({});
  closing.push(() => mcp.close());
  return mcp;
}

async function protectedServer(): Promise<RunningMcpServer> {
  const as = await startAuthorizationServer();
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  return mcp;
}

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(os.tmpdir(), 'keybridge-unchecked-'));
  closing.push(() => rm(made, { recursive: true, force: true }));
  return made;
}

const nobodyThere = async () => `http://127.0.0.1:${await freePort()}/mcp`;
const kindOf = async (one: Product, name = 'work') =>
  (await one.call('status')).servers.find((server) => server.name === name)?.state.kind;

describe('an unchecked server', () => {
  it('is neither open nor ready if it was never reached', async () => {
    const one = await product();
    await one.call('addServer', { url: await nobodyThere(), name: 'work' });
    const status = await one.call('status');
    expect(status.servers[0]?.state).toEqual({ kind: 'not_checked' });
    expect(overallText(status)).toBe('Not checked yet');
    await expect(one.call('checkServer', { server: 'work' })).rejects.toThrow('E_CONNECT');
    expect(await kindOf(one)).toBe('not_checked');
  });

  it('becomes open when it responds to MCP without a token, and stays open after a restart', async () => {
    const [mcp, dataDir] = [await openServer(), await folder()];
    const one = await startProduct({ dataDir });
    await one.call('addServer', { url: mcp.url, name: 'work' });
    expect(await kindOf(one)).toBe('not_checked');
    expect(await one.call('checkServer', { server: 'work' })).toMatchObject({ state: { kind: 'open' } });
    await one.close();
    expect(await kindOf(await product({ dataDir }))).toBe('open');
  });

  it('has the state that its preview found', async () => {
    const [open, wanting, one] = [await openServer(), await protectedServer(), await product()];
    for (const { url } of [open, wanting]) await one.call('discover', { url });
    expect(await one.call('addServer', { url: open.url, name: 'open' })).toMatchObject({ state: { kind: 'open' } });
    expect(await one.call('addServer', { url: wanting.url, name: 'wanting' })).toMatchObject({
      state: { kind: 'not_signed_in' },
    });
  });

  it('becomes open when it responds to an app’s call', async () => {
    const [mcp, one] = [await openServer(), await product()];
    await one.call('addServer', { url: mcp.url, name: 'work' });
    const host = one.host('work');
    await host.initialize();
    await until(async () => (await kindOf(one)) === 'open', 'the server is known to be open');
  });

  it('stays unchecked if an old list says that it requires no sign-in', async () => {
    const dataDir = await folder();
    const before = await startProduct({ dataDir });
    await before.call('addServer', { url: await nobodyThere(), name: 'work' });
    await before.close();
    for (const name of ['servers.json', 'servers.json.bak']) {
      const file = path.join(dataDir, name);
      await writeFile(
        file,
        (await readFile(file, 'utf8')).replace(/"signInRequired": \w+/, '"signInRequired": false'),
        { mode: 0o600 },
      );
    }
    expect(await kindOf(await product({ dataDir }))).toBe('not_checked');
  });
});

describe('a server that requires a sign-in', () => {
  it('is "not signed in yet" after a cancelled sign-in', async () => {
    const [mcp, one] = [await protectedServer(), await product({ browser: httpBrowser({ neverFinish: true }) })];
    await one.call('addServer', { url: mcp.url, name: 'work' });
    const signIn = one.call('signIn', { server: 'work' });
    signIn.catch(() => {});
    await until(async () => {
      const state = (await one.call('status')).servers[0]?.state;
      return state?.kind === 'signing_in' && state.step === 'browser';
    }, 'the page is open');
    await one.call('cancelSignIn', { server: 'work' });
    await expect(signIn).rejects.toThrow('E_CANCELLED');
    expect(await kindOf(one)).toBe('not_signed_in');
  });

  it('is "signed out" after a sign-out, even after a restart', async () => {
    const [mcp, dataDir] = [await protectedServer(), await folder()];
    const one = await startProduct({ dataDir });
    await one.call('addServer', { url: mcp.url, name: 'work' });
    await one.call('signIn', { server: 'work' });
    await one.call('signOut', { server: 'work' });
    expect(await kindOf(one)).toBe('signed_out');
    await one.close();
    expect(await kindOf(await product({ dataDir }))).toBe('signed_out');
  });

  it('is "not signed in yet" if a key was chosen, even before it was checked', async () => {
    const one = await product();
    await one.call('addServer', { url: await nobodyThere(), name: 'work', settings: { grant: 'static_header' } });
    expect(await kindOf(one)).toBe('not_signed_in');
  });

  it('becomes ready if a sign-in finds that none is required', async () => {
    const [mcp, one] = [await openServer(), await product()];
    await one.call('addServer', { url: mcp.url, name: 'work' });
    await expect(one.call('signIn', { server: 'work' })).rejects.toThrow('E_NO_SIGN_IN');
    expect(await kindOf(one)).toBe('open');
  });
});

describe('the texts of unchecked servers', () => {
  const notSignedIn: SignInState = { kind: 'not_signed_in' };
  const notChecked: SignInState = { kind: 'not_checked' };
  const server = (name: string, state: SignInState): ServerStatus => ({
    id: `id-of-${name}`,
    name,
    url: 'https://mcp.example.com/mcp',
    state,
    hosts: [],
  });
  const status = (...states: SignInState[]): Status => ({
    version: '1.0.0',
    front: 'desktop',
    runtime: 'release',
    store: { name: 'keychain', label: 'Keychain', state: 'ready' },
    servers: states.map((state, at) => server(`s${at}`, state)),
  });

  it('have their own label and next step for each state', () => {
    expect([notSignedIn, notChecked].map((state) => [stateLabel(state), nextStep(state)])).toEqual([
      ['Not signed in yet', 'sign_in'],
      ['Not checked yet', 'check'],
    ]);
  });

  it.each([
    ['Not signed in yet', [notSignedIn]],
    ['2 not signed in yet', [notSignedIn, notSignedIn]],
    ['1 server ready, 1 not signed in yet', [{ kind: 'open' }, notSignedIn]],
    ['1 server ready, 1 signed out, 1 not checked yet', [{ kind: 'open' }, { kind: 'signed_out' }, notChecked]],
    ['1 signed out, 1 not checked yet', [{ kind: 'signed_out' }, notChecked]],
  ] satisfies [string, SignInState[]][])('summarize the servers as "%s"', (words, states) => {
    expect(overallText(status(...states))).toBe(words);
  });

  it('offer the next step in the tray, whose icon shows that something is to do', () => {
    const model = trayModel(status(notSignedIn, notChecked), 0);
    expect(model.icon).toBe('signed-out');
    const steps = model.items.flatMap((item) => (item.kind === 'submenu' ? [item.items[0]] : []));
    expect(steps).toEqual([
      { kind: 'action', label: 'Sign in', action: { kind: 'step', step: 'sign_in', server: 'id-of-s0' } },
      { kind: 'action', label: 'Check now', action: { kind: 'step', step: 'check', server: 'id-of-s1' } },
    ]);
  });
});

describe('the command line', () => {
  it('prints the right next step after `add`, and exits with the server’s state after `status`', async () => {
    const [open, wanting, silent] = [await openServer(), await protectedServer(), await nobodyThere()];
    const bare = await bareMachine();
    closing.push(() => bare.close());
    await bare.serve();

    const added = await bare.run(['add', open.url, '--name', 'open']);
    expect(added).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/No sign-in needed.*keybridge snippet open/s),
    });
    expect(added.stdout).not.toContain('keybridge login');
    expect((await bare.run(['status', 'open'])).code).toBe(exitCodes.ok);

    expect(await bare.run(['add', wanting.url, '--name', 'wanting'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('keybridge login wanting'),
    });
    expect(await bare.run(['status', 'wanting'])).toMatchObject({
      code: exitCodes.signInNeeded,
      stdout: expect.stringContaining('Not signed in yet'),
    });

    expect(await bare.run(['add', silent, '--name', 'silent'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('keybridge check silent'),
      stderr: expect.stringContaining('E_CONNECT'),
    });
    expect(await bare.run(['status', 'silent'])).toMatchObject({
      code: exitCodes.unreachable,
      stdout: expect.stringContaining('Not checked yet'),
    });
    expect((await bare.run(['check', 'silent'])).code).toBe(exitCodes.unreachable);
    expect(await bare.run(['check', 'open'])).toMatchObject({
      code: exitCodes.ok,
      stdout: 'open: No sign-in needed.\nConnect an app: keybridge snippet open\n',
    });
  });
});
