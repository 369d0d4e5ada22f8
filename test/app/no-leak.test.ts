import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands, type CommandName } from '../../shared/api.ts';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { createFakeStore } from '../fixtures/fake-store.ts';
import { startFaulty } from '../fixtures/faulty-server.ts';
import type { Host } from '../fixtures/host.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct, type Product } from '../fixtures/product.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

const closing = closeAfterEach();

/** A secret in its usual encodings. */
function encodings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const shifted = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset, 'x'), bytes])
      .toString('base64')
      .slice(offset === 0 ? 0 : 4, -4),
  );
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
    ...shifted,
    ...shifted.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}

/** Everything that leaves the broker other than network traffic, which must contain no secret. */
function artefacts(product: Product, hosts: readonly Host[], replies: readonly unknown[]): Map<string, string> {
  const found = new Map<string, string>([
    ['log', product.log.join('')],
    ['replies and status', JSON.stringify(replies)],
    ['status', JSON.stringify(product.app.status.current())],
  ]);
  for (const [n, host] of hosts.entries()) {
    found.set(`host ${n} stdout`, host.lines.join('\n'));
    found.set(`host ${n} stderr`, host.stderr);
    if (process.platform !== 'linux') continue;
    for (const file of ['environ', 'cmdline'])
      found.set(`bridge ${n} ${file}`, readFileSync(`/proc/${host.pid}/${file}`, 'utf8'));
  }
  for (const entry of readdirSync(product.dataDir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) found.set(entry.name, readFileSync(path.join(entry.parentPath, entry.name), 'latin1'));
  }
  return found;
}

function leaks(found: Map<string, string>, secrets: readonly string[]): string[] {
  const hits: string[] = [];
  for (const [place, text] of found) {
    for (const [n, secret] of secrets.entries()) {
      if (secret.length >= 8 && encodings(secret).some((form) => form.length >= 8 && text.includes(form)))
        hits.push(`${place}: secret ${n}`);
    }
  }
  return hits;
}

/**
 * What each command of the table gives to window and command line while a sign-in is stored. Ends signed out, without
 * the server.
 */
async function everyReply(product: Product, server: string, url: string): Promise<unknown[]> {
  // A record, so that a new command does not compile until it is called here.
  const inputs: { readonly [Name in CommandName]: unknown } = {
    status: undefined,
    discover: { url },
    openProviderPage: { preset: 'GitHub' },
    presets: undefined,
    addServer: { url, name: 'another', clientId: 'a-client', clientSecret: 'canary-client-secret' },
    configureServer: { server: 'another', clientSecret: 'canary-second-secret' },
    generateKey: { server },
    checkServer: { server },
    acceptServer: { server },
    serverDetail: { server },
    signIn: { server },
    confirmSignIn: { server, hosts: [] },
    dismissAccess: { server },
    cancelSignIn: { server },
    finishSignIn: {
      server,
      redirectUrl: 'http://127.0.0.1:1/callback?code=canary-pasted-code&state=canary-pasted-state',
    },
    refreshNow: { server },
    hostSnippets: { server },
    unlockStore: undefined,
    addAccount: { server, name: 'second' },
    updateAccount: { server, account: 'second', name: 'renamed' },
    removeAccount: { server, account: 'renamed' },
    signOut: { server },
    signOutEverywhere: undefined,
    removeServer: { server: 'another' },
  };
  const replies: unknown[] = [];
  for (const name of Object.keys(commands) as CommandName[]) {
    replies.push(await product.call(name, inputs[name] as never).catch((error: unknown) => (error as Error).cause));
  }
  return replies;
}

/** The secrets that `everyReply` sends in, which must not be returned either. */
const canaries = ['canary-client-secret', 'canary-second-secret', 'canary-pasted-code', 'canary-pasted-state'];

describe('secrets', () => {
  it('are found by the search in every encoding, so that the other tests can fail', () => {
    const secret = 'mark-7Qd2hJ+w/9';
    for (const form of encodings(secret))
      expect(leaks(new Map([['somewhere', `aa${form}bb`]]), [secret])).toHaveLength(1);
    expect(leaks(new Map([['somewhere', Buffer.from(`ab${secret}cd`).toString('base64')]]), [secret])).toHaveLength(1);
    expect(leaks(new Map([['somewhere', 'nothing here']]), [secret])).toHaveLength(0);
  });

  it.each(['opaque', 'jwt'] as const)(
    'LG01 UI03 never leave the broker during sign-in, calls, expiry, refresh, sign-out or any command (%s tokens)',
    async (accessTokens) => {
      const as = await startAuthorizationServer({ accessTokens, accessTokenSeconds: 600 });
      closing.push(() => as.close());
      const mcp = await startMcpServer({ authorizationServer: as });
      closing.push(() => mcp.close());
      const store = createFakeStore({ name: 'memory' });
      const product = await startProduct({ store });
      closing.push(() => product.close());
      const replies: unknown[] = [];
      product.app.status.subscribe((status) => {
        // The address of the sign-in page contains the state by design.
        replies.push(
          JSON.parse(
            JSON.stringify(status, (key, value: unknown) =>
              key === 'url' && typeof value === 'string' && value.includes('code_challenge') ? undefined : value,
            ),
          ),
        );
      });
      await product.call('addServer', { url: mcp.url, name: 'work', settings: { identity: true } });
      expect(await product.call('signIn', { server: 'work' })).toMatchObject({ identity: 'ada' });
      const host = product.host('work');
      await host.initialize();
      await host.call('echo', { text: 'one' });
      as.revokeAccessTokens();
      await host.call('echo', { text: 'two' });
      const before = artefacts(product, [host], replies);
      replies.push(...(await everyReply(product, 'work', mcp.url)));
      const [, privateKey = ''] = /\\"d\\":\\"([\w-]+)/.exec([...store.items.values()].join('\n')) ?? [];
      expect(privateKey).toHaveLength(43);
      const secrets = [...as.secrets(), ...canaries, privateKey];
      expect(as.counts.refreshesGranted).toBeGreaterThanOrEqual(1);
      expect(secrets.length).toBeGreaterThan(8);
      expect(leaks(before, secrets)).toEqual([]);
      expect(leaks(artefacts(product, [host], replies), secrets)).toEqual([]);
    },
  );

  it.each([
    'token-crlf',
    'token-nonascii',
    'token-missing',
    'token-html',
    'token-error-200',
    'token-500',
    'authz-error-xss',
    'authz-wrong-iss',
    'as-issuer-mismatch',
  ] as const)('LG02 LG03 get into no error, log or status through a hostile server (%s)', async (scenario) => {
    const faulty = await startFaulty({ scenario });
    closing.push(() => faulty.close());
    const product = await startProduct();
    closing.push(() => product.close());
    const replies: unknown[] = [];
    await product.call('addServer', { url: faulty.url, name: 'work' });
    replies.push(await product.call('signIn', { server: 'work' }).catch((error: unknown) => (error as Error).cause));
    replies.push(...(await everyReply(product, 'work', faulty.url)));
    expect(leaks(artefacts(product, [], replies), [...faulty.secrets(), ...canaries])).toEqual([]);
    for (const line of product.log) expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u2028\u2029]/);
  });
});
