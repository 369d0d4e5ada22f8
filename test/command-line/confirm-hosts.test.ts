import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { logIn } from '../../electron/command-line/login.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { failure } from '../fixtures/failure.ts';
import { sendJson } from '../fixtures/listener.ts';
import { startProduct } from '../fixtures/product.ts';
import { startSite } from '../fixtures/site.ts';

const closing = closeAfterEach();

describe('keybridge login', () => {
  it('asks again when the sign-in leads to another host, and ends when the answer is no', async () => {
    const [site, device] = [await startSite(), await startSite({ host: '127.0.0.3' })];
    closing.push(
      () => site.close(),
      () => device.close(),
    );
    const url = `${site.origin}/mcp`;
    Object.assign(site.routes, {
      '/mcp': ((_request, response) =>
        response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()) satisfies (typeof site.routes)[string],
      '/.well-known/oauth-protected-resource/mcp': { resource: url, authorization_servers: [site.origin] },
      '/.well-known/oauth-authorization-server': {
        issuer: site.origin,
        authorization_endpoint: `${site.origin}/authorize`,
        token_endpoint: `${site.origin}/token`,
        registration_endpoint: `${site.origin}/register`,
        device_authorization_endpoint: `${device.origin}/device`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      },
      '/register': ((_request, response) =>
        sendJson(response, 201, {
          client_id: 'c1',
          token_endpoint_auth_method: 'none',
        })) satisfies (typeof site.routes)[string],
    });
    device.routes['/device'] = {
      device_code: 'kb-device',
      user_code: 'ABCD',
      verification_uri: 'http://127.0.0.4:9/activate',
      expires_in: 600,
    };
    const product = await startProduct();
    closing.push(() => product.close());
    const { id } = await product.call('addServer', { url, name: 'work', settings: { grant: 'device_code' } });

    const [printed, stdin, answers]: [string[], PassThrough, string[]] = [[], new PassThrough(), ['y', 'n']];
    const tell = (text: string) => {
      printed.push(text);
      if (text.endsWith('[y/N]')) stdin.write(`${answers.shift()}\n`);
    };
    const terminal = {
      env: {},
      stdin,
      interactive: true,
      print: () => {},
      tell,
      flush: async () => {},
      onInterrupt: () => () => {},
    };
    expect(await failure(logIn({ server: id, browser: false, dataDir: product.dataDir, terminal }))).toMatchObject({
      code: 'E_CANCELLED',
    });
    const questions = printed.filter((text) => text.includes('hosts with different owners'));
    expect(questions).toHaveLength(2);
    expect(questions[0]).not.toContain('127.0.0.4');
    expect(questions[1]).toContain('you sign in at 127.0.0.4:9');
    expect(printed.join('\n')).not.toContain('ABCD');
  });
});
