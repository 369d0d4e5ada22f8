import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { failure } from '../../fixtures/failure.ts';
import { createGrantRig, unsigned } from '../../fixtures/grant-rig.ts';

const closing = closeAfterEach();
const { withServer, tokenSite } = createGrantRig(closing);

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

describe('workload identity (RFC 7523)', () => {
  const assertion = unsigned({ sub: 'workload', exp: inSeconds(3600) });

  it('sends the assertion for this resource, and again for each new token', async () => {
    const site = await tokenSite();
    const { rig, start, token, id } = await withServer(site.url, {
      settings: { grant: 'jwt_bearer' },
      secrets: { assertion },
    });
    await start();
    const first = await token();
    await rig.tokens.refreshNow(id);
    expect(site.forms).toHaveLength(2);
    expect(Object.fromEntries(site.forms[1] ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion,
      client_id: 'robot',
      resource: site.url,
      scope: 'mcp:tools',
    });
    expect((await token())?.reveal()).not.toBe(first?.reveal());
    expect(rig.opened).toEqual([]);
    expect(rig.log.join('\n')).not.toContain(assertion);
  });

  it('does not send a refused assertion again, and does not open the browser instead', async () => {
    const site = await tokenSite();
    const { rig, start, id } = await withServer(site.url, {
      settings: { grant: 'jwt_bearer' },
      secrets: { assertion },
    });
    site.respond = (_form, response) => sendJson(response, 400, { error: 'invalid_grant' });
    expect(await failure(start())).toMatchObject({ code: 'E_TOKEN_REFUSED' });
    expect(site.forms).toHaveLength(1);
    expect(rig.opened).toEqual([]);

    site.respond = (_form, response) => sendJson(response, 200, { access_token: 'one', expires_in: 100 });
    await start();
    site.respond = (_form, response) => sendJson(response, 400, { error: 'invalid_grant' });
    await rig.tokens.refreshNow(id);
    const asked = site.forms.length;
    for (let call = 0; call < 5; call += 1)
      expect(await rig.tokens.accessToken(id)).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
    expect(site.forms).toHaveLength(asked);
    expect(rig.opened).toEqual([]);
  });

  it('reads the file of the platform for each request, and does not send an expired assertion', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'keybridge-grants-'));
    closing.push(() => rm(folder, { recursive: true }));
    const assertionFile = path.join(folder, 'token');
    const [old, next] = [
      unsigned({ sub: 'old', exp: inSeconds(3600) }),
      unsigned({ sub: 'next', exp: inSeconds(3600) }),
    ];
    await writeFile(assertionFile, `${old}\n`);
    const site = await tokenSite();
    const { rig, start, id } = await withServer(site.url, { settings: { grant: 'jwt_bearer', assertionFile } });
    await start();
    await writeFile(assertionFile, unsigned({ sub: 'old', exp: inSeconds(-10) }));
    await rig.tokens.refreshNow(id);
    expect(rig.tokens.state(id).kind).toBe('retrying');
    await writeFile(assertionFile, next);
    await rig.tokens.refreshNow(id);
    expect(rig.tokens.state(id).kind).toBe('usable');
    expect(site.forms.map((form) => form.get('assertion'))).toEqual([old, next]);
  });
});
