import { describe, expect, it } from 'vitest';
import { createHttpRig, httpRequest } from '../fixtures/http-rig.ts';

const { client, listener } = createHttpRig();

describe('a response', () => {
  it('is returned to the caller if it is a redirect, which is not followed', async () => {
    const other = await listener((_, response) => response.end('stolen'));
    const server = await listener((_, response) => response.writeHead(307, { location: other.origin }).end());
    const response = await client().fetch(httpRequest(`${server.origin}/`, { method: 'POST', body: 'code' }));
    expect(response).toMatchObject({ status: 307, headers: { location: other.origin } });
    expect(other.acceptedConnections).toBe(0);
  });

  it('has repeated headers joined and interim responses skipped', async () => {
    const server = await listener((_, response) => {
      response.writeEarlyHints({ link: '</x>; rel=preload' });
      response.writeHead(401, { 'www-authenticate': ['Basic realm="x"', 'Bearer scope="y"'] }).end('no');
    });
    const { status, headers, body } = await client().fetch(httpRequest(`${server.origin}/`));
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Basic realm="x", Bearer scope="y"');
    expect(body.toString()).toBe('no');
  });

  it('DM30: may have 30 KB of headers', async () => {
    const server = await listener((_, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer x="${'y'.repeat(30_000)}"` }).end(),
    );
    const { headers } = await client().fetch(httpRequest(`${server.origin}/`));
    expect(headers['www-authenticate']).toHaveLength(30_011);
  });

  it('is requested without cookies and with the caller’s headers unchanged', async () => {
    let seen: Record<string, unknown> = {};
    const server = await listener((incoming, response) => {
      seen = incoming.headers;
      response.writeHead(200, { 'set-cookie': 'a=b' }).end();
    });
    const http = client();
    await http.fetch(httpRequest(`${server.origin}/`));
    await http.fetch(
      httpRequest(`${server.origin}/`, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json', 'user-agent': 'other/1' },
      }),
    );
    expect(seen).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'other/1', 'content-length': '2' });
    expect(seen).not.toHaveProperty('cookie');
  });
});
