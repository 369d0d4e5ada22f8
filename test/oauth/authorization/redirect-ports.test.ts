import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { listenForRedirect } from '../../../electron/core/oauth/authorization/loopback-server.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { startAuthorizationServer } from '../../fixtures/authorization-server.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { startFaulty, type Faulty } from '../../fixtures/faulty-server.ts';
import { startMcpServer } from '../../fixtures/mcp-server.ts';
import { occupyPort } from '../../fixtures/redirect-listener.ts';
import { startSignInRig, type SignInRig } from '../../fixtures/sign-in-rig.ts';
import { createPendingAuthorization } from '../../../electron/core/oauth/authorization/callback-handler.ts';

const closing = closeAfterEach();

/** A port that another process listens on. */
async function portOfAnotherProgram(): Promise<{ port: number; pid: number }> {
  const child = spawn(
    process.execPath,
    ['-e', "require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })"],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  closing.push(async () => child.kill());
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(line.toString()), pid: child.pid ?? 0 };
}

async function rig(redirectPorts: readonly number[]): Promise<SignInRig> {
  const started = await startSignInRig({ redirectPorts });
  closing.push(() => started.close());
  return started;
}

async function faulty(): Promise<Faulty> {
  const started = await startFaulty();
  closing.push(() => started.close());
  return started;
}

const redirectUriOf = (opened: string | undefined) =>
  new URL(new URL(opened ?? '').searchParams.get('redirect_uri') ?? '');

describe('a sign-in while all usual ports are in use', () => {
  it('registers a redirect URI with a free port, and reuses it for the next sign-in', async () => {
    const ports = [await occupyPort(closing), await occupyPort(closing)];
    const [login, remote] = [await rig(ports), await faulty()];
    const server = await login.add(remote.url);
    await login.signIns.start(server.id, { openBrowser: true });
    const first = redirectUriOf(login.opened[0]);
    expect(ports).not.toContain(Number(first.port));
    expect((remote.seen.register[0] as { redirect_uris: string[] }).redirect_uris).toEqual([first.href]);
    await login.signIns.start(server.id, { openBrowser: true });
    expect(redirectUriOf(login.opened[1]).href).toBe(first.href);
    expect(remote.counts).toMatchObject({ registrations: 1, codeExchanges: 2 });
  });

  it('with a configured client ID fails with an error that names the program on the port', async () => {
    const { port, pid } = await portOfAnotherProgram();
    const [login, remote] = [await rig([port]), await faulty()];
    const server = await login.add(remote.url, { clientId: 'entered' });
    const error = await failure(login.signIns.start(server.id, { openBrowser: true }));
    expect(error.code).toBe('E_PORT_IN_USE');
    expect(error.message).toBe(
      process.platform === 'linux'
        ? `All ports for the sign-in response are in use: ${port} (node, process ${pid}).`
        : `All ports for the sign-in response are in use: ${port}.`,
    );
    expect([remote.counts.registrations, login.opened]).toEqual([0, []]);
  });

  it('with a configured client ID says if another sign-in of Keybridge uses the port', async () => {
    const port = await occupyPort(closing);
    const login = await rig([port]);
    const server = await login.add((await faulty()).url, { clientId: 'entered' });
    const error = await failure(login.signIns.start(server.id, { openBrowser: true }));
    if (process.platform === 'linux') expect(error.message).toContain(`${port} (another sign-in in Keybridge)`);
    expect(error.code).toBe('E_PORT_IN_USE');
  });

  it('with a configured client ID uses a free port if the provider ignores ports', async () => {
    const [login, remote] = [await rig([await occupyPort(closing)]), await faulty()];
    const server = await login.add(remote.url, { clientId: 'entered', settings: { preset: 'github' } });
    const done = login.signIns.start(server.id, { openBrowser: false });
    await expect.poll(() => login.signIns.progress(server.id)?.url).toContain('client_id=entered');
    expect(redirectUriOf(login.signIns.progress(server.id)?.url).hostname).toBe('127.0.0.1');
    login.signIns.cancel(server.id);
    expect((await failure(done)).code).toBe('E_CANCELLED');
  });

  it('with a metadata document for fixed ports registers dynamically, if the server supports it', async () => {
    const document = 'https://apps.company.example/keybridge/client-metadata.json';
    const port = await occupyPort(closing);
    const as = await startAuthorizationServer({
      clientDocument: { client_id: document, redirect_uris: [`http://127.0.0.1:${port}/callback`] },
    });
    closing.push(() => as.close());
    const mcp = await startMcpServer({ authorizationServer: as });
    closing.push(() => mcp.close());
    const login = await rig([port]);
    const { id } = await login.add(mcp.url, { settings: { clientMetadataUrl: document } });
    await login.signIns.start(id, { openBrowser: true });
    expect(as.counts).toMatchObject({ registrations: 1, codeExchangesGranted: 1 });
    expect(redirectUriOf(login.opened[0]).pathname).not.toBe('/callback');
  });
});

describe('a request for the redirect URI before the user opens the page', () => {
  const state = new Secret('the-state');

  it.each([
    ['a prefetch', 'GET', { 'sec-purpose': 'prefetch' }, 503],
    ['a prerender', 'GET', { 'sec-purpose': 'prefetch;prerender' }, 503],
    ['a prefetch of an older browser', 'GET', { purpose: 'prefetch' }, 503],
    ['a prefetch of an older Firefox', 'GET', { 'x-moz': 'prefetch' }, 503],
    ['a preview of Safari', 'GET', { 'x-purpose': 'preview' }, 503],
    ['HEAD', 'HEAD', {}, 405],
    ['OPTIONS', 'OPTIONS', {}, 405],
  ])('%s does not consume the response', async (_, method, headers, status) => {
    const listener = await listenForRedirect({
      ports: [0],
      host: '127.0.0.1',
      path: '/callback/x',
      serverName: 'linear',
    });
    closing.push(() => listener.close());
    const pending = createPendingAuthorization({ state, issuer: 'https://login.example', issSupported: false });
    listener.handleWith((params) => {
      const kind = pending.accept(params);
      return kind === 'accepted' ? { kind, result: Promise.resolve({ kind: 'signed_in' }) } : { kind };
    });
    const address = `${listener.redirectUri}?code=c&state=${state.reveal()}`;
    const early = await fetch(address, { method, headers: headers as Record<string, string> });
    await early.text();
    expect([early.status, pending.received]).toEqual([status, false]);
    const page = await fetch(address, { headers: { 'sec-purpose': '' } });
    expect([page.status, pending.received]).toEqual([200, true]);
    expect(await page.text()).toContain('Signed in to linear');
  });
});
