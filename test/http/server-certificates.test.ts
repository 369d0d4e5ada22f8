import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../fixtures/certificate.ts';
import { failure } from '../fixtures/failure.ts';
import { createHttpRig, httpRequest } from '../fixtures/http-rig.ts';

const { client, closing } = createHttpRig();

describe('the certificate of a server', () => {
  async function tlsServer(hosts: readonly string[], options: Parameters<typeof selfSigned>[1] = {}) {
    const certificate = selfSigned(hosts, options);
    let requests = 0;
    const server = createServer(certificate, (_, response) => {
      requests += 1;
      response.end('private');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return {
      url: `https://mcp.test:${(server.address() as AddressInfo).port}/`,
      cert: certificate.cert,
      requests: () => requests,
    };
  }
  const lookup = async () => [{ address: '127.0.0.1', family: 4 }];

  it('is refused as an incomplete chain if its intermediate certificate is missing', async () => {
    const intermediate = { name: 'Intermediate', key: selfSigned(['ca.test'], { name: 'Intermediate' }).key };
    const { url } = await tlsServer(['mcp.test'], { issuer: intermediate, name: 'Leaf' });
    const error = await failure(client({ lookup }).fetch(httpRequest(url)));
    expect(error).toMatchObject({
      code: 'E_TLS',
      message: expect.stringContaining('the certificate chain is incomplete') as string,
    });
  });

  it('is accepted if the caller trusts its certificate authority', async () => {
    const { url, cert } = await tlsServer(['mcp.test']);
    expect((await client({ lookup, ca: [cert] }).fetch(httpRequest(url))).body.toString()).toBe('private');
  });

  it.each([
    ['its authority is unknown', ['mcp.test'], false, false],
    ['it is for another name', ['other.test'], false, true],
    ['it has expired', ['mcp.test'], true, true],
  ] as const)('is refused if %s, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async (_, hosts, expired, trusted) => {
    const { url, cert, requests } = await tlsServer(hosts, { expired });
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const error = await failure(client({ lookup, ca: trusted ? [cert] : [] }).fetch(httpRequest(url)));
      expect(error).toMatchObject({ code: 'E_TLS', sent: false });
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
    expect(requests()).toBe(0);
  });
});
