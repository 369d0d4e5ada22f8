import { describe, expect, it } from 'vitest';
import { companyHttp } from '../../../electron/core/oauth/enterprise/company-http.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { textsIn } from '../../fixtures/texts-in.ts';
import type { Http, HttpRequest } from '../../../electron/core/http/http.ts';
import type { Server } from '../../../electron/core/servers/server.ts';
import { startCompanyRig } from '../../fixtures/company-rig.ts';

const closing = closeAfterEach();

describe('the secrets of a company', () => {
  it('go to the company only, and each assertion to its server only', async () => {
    const rig = await startCompanyRig(closing, { clientSecret: 'secret-at-company' });
    const [a, b] = [
      await rig.add('a', { secrets: { enterpriseClientSecret: 'secret-at-company' } }),
      await rig.add('b'),
    ];
    await rig.signIn('a');
    await rig.signIn('b');
    await rig.restart();
    await rig.call('a', a);
    const secrets = [...rig.company.idp.secrets(), 'secret-at-company'].filter(
      (secret) => secret.length > 12 && !rig.company.assertions.includes(secret),
    );
    expect(secrets.length).toBeGreaterThan(6);
    const elsewhere = JSON.stringify([a, b].flatMap(({ as, mcp }) => [as.seen.token, mcp.seen]));
    for (const secret of secrets) expect(elsewhere).not.toContain(secret);
    const [forA = '', forB = ''] = rig.company.assertions;
    expect(JSON.stringify(a.as.seen.token)).toContain(forA);
    expect(JSON.stringify([a.as.seen.token, a.mcp.seen, b.mcp.seen])).not.toContain(forB);
    const log = rig.product.log.join('\n');
    const files = await textsIn(rig.product.dataDir);
    const shown = [
      log,
      JSON.stringify(rig.product.app.status.current()),
      JSON.stringify(await rig.product.call('serverDetail', { server: 'a' })),
      ...files,
    ].join('\n');
    for (const secret of [...secrets, forA, forB]) expect(shown).not.toContain(secret);
  });

  it('are sent without the certificate, key and certificate authorities of a server', async () => {
    const requests: HttpRequest[] = [];
    const response = { status: 200, headers: {}, body: Buffer.alloc(0) };
    const plain: Http = {
      fetch: async (request) => (requests.push(request), response),
      open: async () => Promise.reject(new Error('unused')),
      classOf: async () => 'public',
      withTls: () => Promise.reject(new Error('no certificates')) as never,
      close: async () => {},
    };
    const servers = [
      {
        id: 'one',
        settings: {
          caFile: '/ca.pem',
          clientCertificateFile: '/me.pem',
          enterprise: { issuer: 'https://idp.example', clientId: 'c' },
        },
      },
    ] as unknown as Server[];
    const request: HttpRequest = {
      url: new URL('https://idp.example/token'),
      method: 'POST',
      allow: ['public'],
      forTokens: true,
      timeoutMs: 1,
      maxBytes: 1,
    };
    await companyHttp(() => servers, plain).fetch(request);
    await companyHttp(() => [], plain).fetch(request);
    expect(requests).toHaveLength(2);
  });
});
