import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { createHttp } from '../../electron/core/http/client.ts';
import { discover } from '../../electron/core/oauth/discovery/discovery.ts';
import { trayModel } from '../../electron/desktop/tray/tray-model.ts';
import { FailedDiscovery } from '../../renderer/add-server/failed-discovery.tsx';
import { NoticeBanner } from '../../renderer/parts/banner.tsx';
import { StatePanel } from '../../renderer/server/state-panel.tsx';
import { settingsForm } from '../../renderer/server/settings/settings-change.ts';
import { errorCodes, type ErrorCode } from '../../shared/errors.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { nextStep } from '../../shared/server-state.ts';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startHttpsListener } from '../fixtures/https-listener.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct } from '../fixtures/product.ts';
import { errorInfo, exampleServer, exampleStatus } from '../fixtures/renderer-preview/states.ts';
import { startSite } from '../fixtures/site.ts';
import { createMemoryStore } from '../../electron/core/vault/memory.ts';
import { exampleDetail } from '../fixtures/renderer-preview/details.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';
import type { ServerSettings } from '../../shared/server-settings.ts';

const closing = closeAfterEach();
const textOf = (html: string): string => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
/** The markup without collapsed details. */
const firstSight = (html: string): string => textOf(html.replaceAll(/<details.*?<\/details>/gs, ' '));
const buttonsOf = (html: string): string[] =>
  [...html.matchAll(/<button[^>]*>(.*?)<\/button>/gs)].map(([, words = '']) => textOf(words).trim());

function look(error: ErrorInfo, settings: ServerSettings = {}): string {
  const form = settingsForm({ ownClient: false, allowMissingPkce: false, settings });
  return renderToStaticMarkup(
    <>
      <NoticeBanner notice={{ kind: 'error', title: 'Could not use this address', error }} place="add" />
      <FailedDiscovery
        url="https://a.example/mcp"
        error={error}
        form={form}
        onForm={() => {}}
        onCheck={() => {}}
        onAddress={() => {}}
      />
    </>,
  );
}

const failed = (code: ErrorCode, more: Partial<ErrorInfo> = {}): SignInState => ({
  kind: 'needs_sign_in',
  error: { ...errorInfo(code, `raw words of ${code}`), ...more },
});
const panel = (state: SignInState): string => {
  const server = exampleServer('linear', state);
  return renderToStaticMarkup(<StatePanel server={server} detail={exampleDetail(server, 0)} />);
};
const stop: readonly ErrorCode[] = [
  'E_TLS',
  'E_ISSUER_MISMATCH',
  'E_ISS_MISMATCH',
  'E_ENDPOINT_REFUSED',
  'E_ADDRESS_REFUSED',
];

describe('adding a server', () => {
  it.each([
    ['a certificate that nobody knows', errorInfo('E_TLS', '')],
    [
      'two names of an authorization server',
      { ...errorInfo('E_ISSUER_MISMATCH', ''), issuers: { named: 'https://a.example/', found: 'https://a.example' } },
    ],
    ['an unsafe address', errorInfo('E_ENDPOINT_REFUSED', '')],
  ] satisfies [string, ErrorInfo][])('offers no "Add anyway" for %s, which is not safe to sign in to', (_, error) => {
    expect(buttonsOf(look(error))).not.toContain('Add anyway');
  });

  it('offers to add a server with a client certificate, because its password is stored only then', () => {
    expect(buttonsOf(look(errorInfo('E_TLS', ''), { clientCertificateFile: '/me.p12' }))).toContain(
      'Add with this certificate',
    );
  });

  /** The errors that a preview of an address can return. */
  const looks: readonly ErrorCode[] = [
    'E_ENDPOINT_REFUSED',
    'E_ADDRESS_REFUSED',
    'E_TLS',
    'E_ISSUER_MISMATCH',
    'E_RESOURCE_MISMATCH',
    'E_METADATA_INVALID',
    'E_METADATA_MISSING',
    'E_REDIRECTED',
    'E_NOT_JSON',
    'E_SERVER_URL',
    'E_INSECURE_URL',
    'E_TOO_LARGE',
  ];

  it.each(looks)('does not suggest for %s to remove a server that is not in the list', (code) => {
    expect(firstSight(look(errorInfo(code, 'raw')))).not.toMatch(/\bremove the server\b/i);
  });

  it('refers invalid metadata to the operator, and not to the network', async () => {
    const site = await startSite();
    closing.push(() => site.close());
    site.routes['/mcp'] = (_request, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    site.routes['/.well-known/oauth-protected-resource/mcp'] = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    const http = createHttp();
    closing.push(() => http.close());
    const error = await discover(new URL(`${site.origin}/mcp`), { http }).catch(
      (thrown: unknown) => thrown as { toInfo(): ErrorInfo },
    );
    const info = (error as { toInfo(): ErrorInfo }).toInfo();
    expect(info.code).toBe('E_METADATA_INVALID');
    expect(firstSight(look(info))).not.toMatch(/network|proxy|reached/i);
  });
});

describe('a failed sign-in', () => {
  it.each(stop)('shows no button "Sign in" for %s, which says not to sign in', (code) => {
    const state = failed(code);
    expect(buttonsOf(panel(state))).not.toContain('Sign in');
    expect(buttonsOf(panel(state))).not.toContain('Get a link');
    expect(nextStep(state)).toBe('review_token');
    const menu = trayModel(exampleStatus([exampleServer('linear', state)]), 0).items.find(
      (item) => item.kind === 'submenu',
    );
    expect(menu?.kind === 'submenu' && menu.items.map((item) => 'label' in item && item.label)).not.toContain(
      'Sign in',
    );
  });

  it.each(['E_TLS', 'E_ISSUER_MISMATCH'] satisfies ErrorCode[])(
    'offers to check the server again for %s, not to sign in',
    (code) => {
      expect(buttonsOf(panel(failed(code)))).toContain('Check again');
      expect(buttonsOf(panel(failed(code)))).not.toContain('Try again');
    },
  );

  it('can be repeated after a check finds a valid certificate', async () => {
    const own = selfSigned(['localhost']);
    const server = await startHttpsListener(
      own,
      (_, response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('{"jsonrpc":"2.0","id":0,"result":{}}'),
    );
    closing.push(() => server.close());
    const product = await startProduct();
    closing.push(() => product.close());
    await product.call('addServer', { url: `https://localhost:${server.port}/mcp`, name: 'work' });
    await expect(product.call('signIn', { server: 'work' })).rejects.toThrow('E_TLS');
    await expect(product.call('checkServer', { server: 'work' })).rejects.toThrow('E_TLS');
    const state = async () => (await product.call('status')).servers[0]?.state;
    expect(await state()).toMatchObject({ kind: 'needs_sign_in', error: { code: 'E_TLS' } });

    const caFile = path.join(product.dataDir, 'ca.pem');
    await writeFile(caFile, own.cert);
    await product.call('configureServer', { server: 'work', settings: { caFile } });
    await product.call('checkServer', { server: 'work' });
    expect(await state()).toEqual({ kind: 'open' });
  });

  it.each(errorCodes)('shows one main button for %s', (code) => {
    expect(panel(failed(code)).match(/button-primary/g)?.length ?? 0).toBeLessThanOrEqual(1);
  });
});

describe('the visible part of an error', () => {
  it.each(['E_TLS', 'E_METADATA_INVALID', 'E_TOKEN_RESPONSE', 'E_STORE_UNAVAILABLE'] satisfies ErrorCode[])(
    'describes %s in plain words, with the message, code and page under Details',
    (code) => {
      const html = panel(failed(code));
      expect(firstSight(html)).not.toContain(`raw words of ${code}`);
      expect(firstSight(html)).not.toContain(code);
      const details = /<details class="more error-details">.*?<\/details>/s.exec(html)?.[0] ?? '';
      expect(textOf(details)).toMatch(new RegExp(`raw words of ${code} .*${code} .*About this error`));
    },
  );

  it('keeps a message that names the wrong value', () => {
    expect(firstSight(panel(failed('E_BAD_INPUT')))).toContain('raw words of E_BAD_INPUT');
  });

  it('has a text for every code', () => {
    for (const code of errorCodes) expect(firstSight(panel(failed(code))).length, code).toBeGreaterThan(40);
  });
});

describe('a missing keychain', () => {
  it('is not reported as a client secret when a registration cannot be stored', async () => {
    const as = await startAuthorizationServer();
    closing.push(() => as.close());
    const mcp = await startMcpServer({ authorizationServer: as });
    closing.push(() => mcp.close());
    const missing = { kind: 'unavailable', detail: 'no service' } as const;
    const store = {
      ...createMemoryStore(),
      get: async () => missing,
      set: async () => missing,
      probe: async () => missing,
    };
    const product = await startProduct({ store });
    closing.push(() => product.close());
    await product.call('addServer', { url: mcp.url, name: 'work' });
    const error = await product
      .call('signIn', { server: 'work' })
      .catch((thrown: unknown) => (thrown as Error).cause as ErrorInfo);
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE' });
    expect((error as ErrorInfo).message).not.toMatch(/client secret/i);
    expect((error as ErrorInfo).message).toMatch(/^The keychain does not respond/);
  });
});
