import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { logIn } from '../../../electron/command-line/login.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { startProduct } from '../../fixtures/product.ts';
import { startSignInRig } from '../../fixtures/sign-in-rig.ts';
import { startSite } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startFaultyFor, startStoredSignIn } from '../../fixtures/stored-sign-in.ts';

const closing = closeAfterEach();

describe('endpoints of another authorization server (DM34)', () => {
  it('DM34 mixup-honest-authz: never receive a code that was issued by an honest server', async () => {
    const [login, honest, mallory] = [
      await startSignInRig(),
      await startFaultyFor(closing, { clients: [{ client_id: 'theirs' }], mark: 'honest' }),
      await startFaultyFor(closing, { mark: 'mallory' }),
    ];
    closing.push(() => login.close());
    const registration = await startSite();
    closing.push(() => registration.close());
    registration.routes['/register'] = (_, response) => sendJson(response, 201, { client_id: 'theirs' });
    // Mallory's metadata: her own issuer and token endpoint, but the sign-in page and a client of the honest server.
    const issuer = mallory.issuer;
    registration.routes['/.well-known/oauth-authorization-server'] = {
      issuer: registration.origin,
      authorization_endpoint: `${honest.issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      registration_endpoint: `${registration.origin}/register`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    };
    const server = await login.add(mallory.url);
    await mallory.setScenario('prm-as-ssrf', { target: registration.origin });
    const error = await failure(login.signIns.start(server.id, { openBrowser: true }));
    expect(error).toMatchObject({ code: 'E_ISS_MISMATCH', server: server.name });
    expect(error.message).toContain(new URL(registration.origin).host);
    expect(honest.counts.authorizations).toBe(1);
    expect([mallory.counts.codeExchanges, honest.counts.codeExchanges]).toEqual([0, 0]);
    expect(login.store.items.size).toBe(0);
  });
});

describe('other hosts in a sign-in (DM34, RG10)', () => {
  const words = (host: string) => `The sign-in also passes through ${host}. Continue only if you expect that.`;

  it('DM34 as-token-evil: are shown from the registration on, before any request goes there', async () => {
    const hits: [string, number][] = [];
    const remote = await startFaultyFor(closing, { scenario: 'as-token-evil' });
    const login = await startSignInRig({
      openBrowser: async (url, browser) =>
        void (hits.push(['browser', remote.evilHits]), browser.open(url).catch(() => {})),
    });
    closing.push(() => login.close());
    const server = await login.add(remote.url);
    // There is no `iss` to check, so the user has to confirm the hosts.
    await login.signIns.start(server.id, { openBrowser: true, canAsk: true });
    const { host } = new URL(remote.evil.origin);
    expect(login.steps.map(({ step, otherHosts }) => [step, otherHosts])).toEqual([
      ['discover', undefined],
      ['confirm', [host]],
      ['register', [host]],
      ['browser', [host]],
      ['exchange', [host]],
    ]);
    expect(hits).toEqual([['browser', 0]]);
    expect(remote.counts.registrations).toBe(1);
  });

  it('are not shown if there are none', async () => {
    const { login } = await startStoredSignIn(closing);
    expect(login.steps.flatMap(({ otherHosts = [] }) => otherHosts)).toEqual([]);
  });

  it('DM34: are printed on the command line before the browser opens', async () => {
    const [product, remote] = [await startProduct(), await startFaultyFor(closing, { scenario: 'as-token-evil' })];
    closing.push(() => product.close());
    const { id } = await product.call('addServer', { url: remote.url, name: 'work' });
    const signIn = async (stdin: Readable): Promise<string[]> => {
      const told: string[] = [];
      const opened = until(() => told.find((line) => line.startsWith('Open this address')), 'the address');
      const terminal = {
        env: {},
        stdin,
        interactive: true,
        print: () => {},
        tell: (text: string) => void told.push(text),
        flush: async () => {},
        onInterrupt: () => () => {},
      };
      const done = logIn({ server: id, browser: false, dataDir: product.dataDir, terminal });
      await product.browser.open(/^ {2}(\S+)$/m.exec(await opened)?.[1] ?? '');
      await done;
      return told;
    };
    const { host } = new URL(remote.evil.origin);
    const told = await signIn(Readable.from(['y\n']));
    expect(told[0]).toContain(`the authorization code is sent to ${host}`);
    expect(told[1]).toBe('Do these hosts belong together? [y/N]');
    // The user has confirmed the hosts, so they are not printed again.
    expect(told).not.toContain(words(host));
    // The next sign-in does not ask, so it prints them.
    expect((await signIn(Readable.from([])))[0]).toBe(words(host));
  });
});
