import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { logIn } from '../../../electron/command-line/login.ts';
import { createHttp } from '../../../electron/core/http/client.ts';
import { movedFrom } from '../../../electron/core/oauth/tokens/issuer-moved.ts';
import type { Secret } from '../../../electron/core/base/secret.ts';
import { selfSigned } from '../../fixtures/certificate.ts';
import { startFaulty, type Faulty } from '../../fixtures/faulty-server.ts';
import { startHttpsListener } from '../../fixtures/https-listener.ts';
import { sendJson, startListener } from '../../fixtures/listener.ts';
import { startProduct } from '../../fixtures/product.ts';
import { startSignInRig, type SignInRig } from '../../fixtures/sign-in-rig.ts';
import { startSite } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';
import { failure } from '../../fixtures/failure.ts';

// Discovery that lies or fails when a sign-in is already stored: it has to survive, and nothing of it may go elsewhere.

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function faulty(...args: Parameters<typeof startFaulty>): Promise<Faulty> {
  const started = await startFaulty(...args);
  closing.push(() => started.close());
  return started;
}

/** A server with a stored sign-in. */
async function signedIn() {
  const [login, remote] = [await startSignInRig(), await faulty()];
  closing.push(() => login.close());
  const server = await login.add(remote.url);
  const start = () => login.signIns.start(server.id, { openBrowser: true, canAsk: true });
  await start();
  return { login, remote, server, start };
}

/** Everything in the store of secrets, byte for byte. */
const stored = ({ store }: SignInRig) => JSON.stringify([...store.items]);

describe('an authorization server that cannot be asked (DM31)', () => {
  const notTls = async () => {
    const plain = await startListener((_, response) => response.end('{}'));
    closing.push(() => plain.close());
    return `https://127.0.0.1:${plain.port}`;
  };
  const untrusted = async () => {
    const listener = await startHttpsListener(selfSigned(['127.0.0.1']), (_, response) => response.end('{}'));
    closing.push(() => listener.close());
    return `https://127.0.0.1:${listener.port}`;
  };
  const refusing = async () => {
    const gone = await startListener((_, response) => response.end());
    await gone.close();
    return gone.origin;
  };
  const broken = async () => {
    const site = await startSite();
    closing.push(() => site.close());
    for (const path of ['oauth-authorization-server', 'openid-configuration'])
      site.routes[`/.well-known/${path}`] = (_, response) => response.writeHead(503, { 'retry-after': '7' }).end();
    return site.origin;
  };

  it.each<[string, () => Promise<string>, string, RegExp]>([
    [
      'its name has no address',
      async () => 'https://login.invalid',
      'E_DNS',
      /address of login\.invalid could not be found/,
    ],
    ['it refuses connections', refusing, 'E_CONNECT', /could not be reached: it refuses connections/],
    ['it does not speak TLS', notTls, 'E_TLS', /does not speak TLS/],
    ['nobody vouches for its certificate', untrusted, 'E_TLS', /could not prove who it is/],
    ['it answers with an error', broken, 'E_HTTP_STATUS', /answered with status 503/],
  ])('DM31: %s: that is what the error says, and the stored sign-in stays', async (_, place, code, words) => {
    const { login, remote, server, start } = await signedIn();
    const origin = await place();
    const before = stored(login);
    await remote.setScenario('prm-as-ssrf', { target: origin });
    const error = await failure(start());
    expect(error).toMatchObject({ code, server: server.name });
    expect(error.message).toMatch(words);
    expect(error.message).toContain(new URL(origin).host);
    expect(error.toInfo().remedy).not.toBe('');
    expect(login.opened).toHaveLength(1);
    expect(stored(login)).toBe(before);
    expect(login.tokens.state(server.id)).toMatchObject({ kind: 'usable' });
  });

  it('DM31 as-not-tls: the plain port behind an https address hears no request, and http is not tried', async () => {
    const heard: string[] = [];
    const plain = await startListener((request, response) => {
      heard.push(request.url ?? '');
      response.end('{}');
    });
    closing.push(() => plain.close());
    const { remote, start } = await signedIn();
    await remote.setScenario('prm-as-ssrf', { target: `https://127.0.0.1:${plain.port}` });
    expect((await failure(start())).code).toBe('E_TLS');
    expect(plain.acceptedConnections).toBeGreaterThan(0);
    expect(heard).toEqual([]);
  });
});

describe('a server that moves to another authorization server (DM33)', () => {
  it('DM33: the refresh still goes to the old one, with the old token, and the new one hears nothing of it', async () => {
    const { login, remote, server } = await signedIn();
    await remote.setScenario('as-migrates');
    const answer = await login.tokens.refreshNow(server.id);
    expect(answer.kind).toBe('token');
    expect(remote.counts.refreshes).toBe(1);
    expect(remote.evilHits).toBe(0);
  });

  it('DM33: the new sign-in registers anew, and shows the new one no secret, no client and no token of the old', async () => {
    const { login, remote, server, start } = await signedIn();
    const [before, secrets] = [stored(login), remote.secrets()];
    const old = login.servers.find(server.id)?.registrations ?? [];
    await remote.setScenario('as-migrates');
    remote.evil.answers.set('/register', (_, response) => sendJson(response, 201, { client_id: 'another-client' }));
    login.browser.options = { neverFinish: true };
    const ended = failure(start());
    await until(() => login.opened.length === 2, 'the browser opens for the new one');
    login.signIns.cancel(server.id);
    expect((await ended).code).toBe('E_CANCELLED');
    const heard = remote.evil.requests.join('\n');
    expect(remote.evil.requests.length).toBeGreaterThan(1);
    for (const secret of [...secrets, ...old.map(({ client_id }) => client_id)]) expect(heard).not.toContain(secret);
    expect(login.opened[1]).not.toContain(old[0]?.client_id);
    // Nobody finished the new one: the old sign-in is whole, and so is its registration.
    expect(stored(login)).toBe(before);
    expect(login.servers.find(server.id)?.registrations).toEqual(expect.arrayContaining(old));
  });
});

describe('a stored sign-in whose server has moved (DM33)', () => {
  /** The whole core with a stored sign-in, and what a bridge would get. */
  async function product() {
    const [started, remote] = [await startProduct(), await faulty()];
    let open = true;
    const close = async () => {
      if (open) await started.close();
      open = false;
    };
    closing.push(close);
    await started.call('addServer', { url: remote.url, name: 'work' });
    await started.call('signIn', { server: 'work' });
    const connection = started.app.connect('work');
    const token = async (rejected?: Secret) => connection.accessToken(rejected ? { rejected } : {});
    const state = () => started.app.status.current().servers[0]?.state;
    /** A call, a 401, a refresh, and once more a 401. */
    const refusedTwice = async () => {
      for (let round = 0; round < 2; round += 1) {
        const answer = await token();
        if (answer.kind === 'token') await token(answer.token);
      }
      return token();
    };
    return { started: { ...started, close }, remote, token, state, refusedTwice };
  }

  it('DM33 as-moved: a new sign-in is asked for, with both names, and the new one has heard nothing', async () => {
    const { started, remote, state, refusedTwice } = await product();
    await remote.setScenario('as-moved');
    const answer = await refusedTwice();
    expect(answer).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
    const { message } = 'error' in answer ? answer.error : { message: '' };
    expect(message).toContain(remote.evil.origin);
    expect(message).toContain(remote.issuer);
    expect(state()).toMatchObject({ kind: 'needs_sign_in', error: { code: 'E_SIGN_IN_AGAIN' } });
    expect(remote.evilHits).toBe(0);
    expect(remote.counts.refreshes).toBe(1);
    // It was a mistake of the server's operator: a new sign-in at the old place does.
    await remote.setScenario('healthy');
    await started.call('signIn', { server: 'work' });
    expect(state()).toMatchObject({ kind: 'signed_in' });
  });

  it('DM33 a server that refuses good tokens and has not moved, or says nothing, ends no sign-in', async () => {
    for (const scenario of ['healthy', 'prm-500', 'prm-html', 'prm-no-as', 'prm-resource-mismatch']) {
      const { started, remote, state, token } = await product();
      await remote.setScenario(scenario);
      const first = await token();
      if (first.kind !== 'token') throw new Error(first.kind);
      const second = await token(first.token);
      if (second.kind !== 'token') throw new Error(second.kind);
      expect(await token(second.token), scenario).toMatchObject({
        kind: 'refused',
        error: { code: 'E_SERVER_REFUSED' },
      });
      expect(state(), scenario).toMatchObject({ kind: 'signed_in' });
      // One at a time: each holds a port for the answer of its sign-in.
      await started.close();
    }
  });

  it('DM33 a server that still names the old one among others has not moved, nor one that an exception makes the same', async () => {
    const [mcp, http] = [await startSite(), createHttp()];
    closing.push(
      () => mcp.close(),
      () => http.close(),
    );
    const names = (...authorization_servers: string[]) => {
      mcp.routes['/.well-known/oauth-protected-resource/mcp'] = {
        resource: `${mcp.origin}/mcp`,
        authorization_servers,
      };
    };
    const look = (settings = {}) =>
      movedFrom({ url: `${mcp.origin}/mcp`, settings, networks: [] }, 'https://old.example', http);
    names('https://new.example', 'https://old.example');
    expect(await look()).toBeUndefined();
    names('https://old.example/');
    expect(await look()).toBeUndefined();
    names('https://new.example');
    expect((await look())?.message).toContain('https://new.example');
    expect(
      await look({ issuerException: { named: 'https://new.example', found: 'https://old.example' } }),
    ).toBeUndefined();
  });

  it(
    'DM33 as-moved-down: where the old authorization server is gone too, calls hear it instead of retries without end',
    { timeout: 60_000 },
    async () => {
      const { remote, state, token } = await product();
      const first = await token();
      await remote.setScenario('as-moved-down');
      const answer = await token(first.kind === 'token' ? first.token : undefined);
      expect(answer).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
      expect(state()).toMatchObject({ kind: 'needs_sign_in' });
      expect([remote.counts.refreshes, remote.evilHits]).toEqual([0, 0]);
    },
  );
});

describe('endpoints of somebody else (DM34)', () => {
  it('DM34 mixup-honest-authz: an honest server’s code is not sent to the token endpoint of the one that borrowed its page', async () => {
    const [login, honest, mallory] = [
      await startSignInRig(),
      await faulty({ clients: [{ client_id: 'theirs' }], mark: 'honest' }),
      await faulty({ mark: 'mallory' }),
    ];
    closing.push(() => login.close());
    const registration = await startSite();
    closing.push(() => registration.close());
    registration.routes['/register'] = (_, response) => sendJson(response, 201, { client_id: 'theirs' });
    // Mallory's metadata: her own issuer and token endpoint, the page of the honest server, her client there.
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

describe('hosts that see the sign-in (DM34, RG10)', () => {
  const words = (host: string) => `The sign-in also passes through ${host}. Go on only if you expect that.`;

  it('DM34 as-token-evil: are part of the state from the registration on, before anything has gone there', async () => {
    const hits: [string, number][] = [];
    const remote = await faulty({ scenario: 'as-token-evil' });
    const login = await startSignInRig({
      openBrowser: async (url, browser) =>
        void (hits.push(['browser', remote.evilHits]), browser.open(url).catch(() => {})),
    });
    closing.push(() => login.close());
    const server = await login.add(remote.url);
    // Without an `iss` that says otherwise nothing else can be known: the person has been asked.
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

  it('are nowhere where there are none', async () => {
    const { login } = await signedIn();
    expect(login.steps.flatMap(({ otherHosts = [] }) => otherHosts)).toEqual([]);
  });

  it('DM34 are said on the command line before the browser opens', async () => {
    const [product, remote] = [await startProduct(), await faulty({ scenario: 'as-token-evil' })];
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
    expect(told[0]).toContain(`the sign-in is sent to ${host}`);
    expect(told[1]).toBe('Do they belong together? [y/N]');
    // They were confirmed: nothing repeats them.
    expect(told).not.toContain(words(host));
    // Next time nobody is asked, so they are named again.
    expect((await signIn(Readable.from([])))[0]).toBe(words(host));
  });
});

describe('metadata of a parent (DM13)', () => {
  it('DM13 prm-resource-parent: the audience is recorded, and the token of one path is not used for another', async () => {
    const [login, remote] = [await startSignInRig(), await faulty({ scenario: 'prm-resource-parent' })];
    closing.push(() => login.close());
    const [server, sibling] = [await login.add(remote.url), await login.add(`${new URL(remote.url).origin}/other`)];
    await login.signIns.start(server.id, { openBrowser: true });
    const facts = login.vault.facts(server.id);
    expect(facts?.resource).toBe(new URL(remote.url).origin);
    expect(remote.seen.token[0]?.['resource']).toBe(facts?.resource);
    expect((await login.tokens.accessToken(sibling.id)).kind).toBe('anonymous');
  });
});

describe('answers without an end (DM21)', () => {
  it.each(['as-huge', 'prm-huge'])('DM21 %s: of 50 MB hardly more than the limit is taken', async (scenario) => {
    const { login, remote, start } = await signedIn();
    const before = stored(login);
    await remote.setScenario(scenario);
    expect((await failure(start())).code).toBe('E_TOO_LARGE');
    // The limit is 256 KB; the rest is what two socket buffers hold.
    expect(remote.counts.bytesSent).toBeLessThan(16 * 1024 * 1024);
    expect(stored(login)).toBe(before);
  });
});
