import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSecretFile } from '../../electron/command-line/secret-file.ts';
import { readSecrets } from '../../electron/command-line/settings.ts';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { createHttp } from '../../electron/core/http/client.ts';
import { silentLog } from '../../electron/core/base/log.ts';
import { fetchDocument, startRun } from '../../electron/core/oauth/discovery/metadata.ts';
import { deviceCode } from '../../electron/core/oauth/token-endpoint/device-authorization.ts';
import { introspect } from '../../electron/core/oauth/inspection/introspection.ts';
import { fetchUserinfo } from '../../electron/core/oauth/identity/userinfo.ts';
import { registerClient } from '../../electron/core/oauth/registration/registration-request.ts';
import { refresh } from '../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { createUserSecrets } from '../../electron/core/app/user-secrets.ts';
import { Secret } from '../../electron/core/base/secret.ts';
import { openServers } from '../../electron/core/servers/servers.ts';
import { isUtf16, readJson } from '../../shared/json.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { failure } from '../fixtures/failure.ts';
import { startRelayRig } from '../fixtures/relay-rig.ts';
import { startSite, type Site } from '../fixtures/site.ts';
import type { Http } from '../../electron/core/http/http.ts';
import type { TokenClient } from '../../electron/core/oauth/model.ts';

// Editors and shells on Windows begin files with a byte order mark, and servers pass it on.

const closing = closeAfterEach();
const mark = '\ufeff';
const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'keybridge-bom-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(content: string | Buffer, name = 'file'): Promise<string> {
  const at = path.join(folder, name);
  await writeFile(at, content);
  await chmod(at, 0o600);
  return at;
}

describe('a file with a secret', () => {
  it('is read without its byte order mark and last line break', async () => {
    const at = await file(`${mark}the secret\r\n`);
    expect(await readSecretFile(at, 'client secret')).toBe('the secret');
    expect(await readSecrets([`privateKey=${at}`])).toEqual({ privateKey: 'the secret' });
  });

  it('is read the same way from stdin', async () => {
    expect(await readSecretFile('-', 'client secret', Readable.from([Buffer.from(`${mark}the secret\n`)]))).toBe(
      'the secret',
    );
  });

  it.each([
    ['UTF-16, little end first', utf16('the secret')],
    ['UTF-16, big end first', utf16('the secret').swap16()],
  ])('in %s is refused with an error that does not quote it', async (_, content) => {
    const at = await file(content);
    const error = await failure(readSecretFile(at, 'client secret'));
    expect(error.code).toBe('E_BAD_INPUT');
    expect(error.message).toContain('is UTF-16 text; save it as UTF-8');
    expect(error.message).not.toContain('the secret');
  });

  it('with only a byte order mark counts as empty', async () => {
    expect((await failure(readSecretFile(await file(mark), 'client secret'))).message).toContain('is empty');
  });
});

it('stores a secret that was pasted with a byte order mark without it', async () => {
  const kept: string[] = [];
  const writeClientSecret = async (_key: string, secret: Secret) => {
    kept.push(secret.reveal());
    return { kind: 'done' } as const;
  };
  const servers = await openServers({ dataDir: folder, clock: systemClock(), log: silentLog, macs: undefined });
  const server = await servers.add({
    name: 'one',
    url: 'https://mcp.example/mcp',
    signInRequired: false,
    hasClientSecret: false,
    allowMissingPkce: false,
  });
  await createUserSecrets({
    servers,
    vault: { writeClientSecret, deleteClientSecret: async () => ({ kind: 'done' }) },
  })(server, { clientSecret: `${mark}the secret` });
  expect(kept).toEqual(['the secret']);
});

describe('the list of servers', () => {
  const open = () => openServers({ dataDir: folder, clock: systemClock(), log: silentLog, macs: undefined });

  it('with a byte order mark is read and does not count as damaged', async () => {
    const before = await open();
    await before.add({
      name: 'one',
      url: 'https://mcp.example/mcp',
      signInRequired: false,
      hasClientSecret: false,
      allowMissingPkce: false,
    });
    const at = path.join(folder, 'servers.json');
    await writeFile(at, mark + (await readFile(at, 'utf8')));
    const after = await open();
    expect(after.list().map(({ name }) => name)).toEqual(['one']);
    expect(after.notice).toBeUndefined();
  });

  it('in UTF-16 is refused with an error and left unchanged', async () => {
    await open();
    const at = await file(utf16(await readFile(path.join(folder, 'servers.json'), 'utf8')), 'servers.json');
    const before = await readFile(at);
    expect((await failure(open())).message).toContain('is UTF-16 text. Save it as UTF-8');
    expect(await readFile(at)).toEqual(before);
  });
});

describe('a response of an authorization server', () => {
  let http: Http;
  let site: Site;
  beforeEach(async () => {
    [http, site] = [createHttp(), await startSite()];
  });
  afterEach(async () => {
    await http.close();
    await site.close();
  });

  const client = (): TokenClient => ({
    issuer: site.origin,
    tokenEndpoint: `${site.origin}/x`,
    introspectionEndpoint: `${site.origin}/x`,
    clientId: 'c',
    clientAuth: 'none',
    resource: 'https://mcp.example/',
    allow: ['loopback'],
  });
  const register = () =>
    registerClient(http, {
      endpoint: `${site.origin}/x`,
      authorizationServer: {
        issuer: site.origin,
        authorization_endpoint: `${site.origin}/a`,
        token_endpoint: `${site.origin}/x`,
      },
      allow: ['loopback'],
      redirectUri: 'http://127.0.0.1:1/cb',
      scopes: [],
    });
  const document = () => fetchDocument(startRun(http, ['loopback'], 5_000, undefined), new URL(`${site.origin}/x`));

  const readers: readonly [string, object, () => Promise<unknown>, object][] = [
    ['registration', { client_id: 'x' }, register, { client: { clientId: 'x' } }],
    ['metadata', { issuer: 'x' }, document, { kind: 'found', value: { issuer: 'x' } }],
    [
      'token',
      { access_token: 'a', token_type: 'Bearer' },
      () => refresh(client(), new Secret('r'), {}, { http }),
      { kind: 'refreshed' },
    ],
    [
      'device authorization',
      { device_code: 'd', user_code: 'U', verification_uri: 'http://127.0.0.1:1/', expires_in: 60 },
      () => deviceCode(client(), `${site.origin}/x`, [], { http, clock: systemClock() }),
      { userCode: 'U' },
    ],
    ['introspection', { active: true }, () => introspect(client(), new Secret('a'), { http }), { active: true }],
    [
      'userinfo',
      { sub: 's' },
      () =>
        fetchUserinfo({
          http,
          allow: ['loopback'],
          endpoint: `${site.origin}/x`,
          accessToken: new Secret('a'),
          sub: 's',
        }),
      { kind: 'claims' },
    ],
  ];
  it.each(readers)('(%s) is read with a byte order mark at its beginning', async (_, answer, ask, expected) => {
    site.routes['/x'] = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(mark + JSON.stringify(answer));
    expect(await ask()).toMatchObject(expected);
  });

  it('in UTF-16 is named so in the error', async () => {
    site.routes['/x'] = (_request, response) =>
      response.writeHead(200).end(utf16('{"client_id":"x","access_token":"a"}'));
    expect((await failure(register())).message).toContain('UTF-16');
    expect(await document()).toMatchObject({
      kind: 'not_metadata',
      error: { message: expect.stringContaining('UTF-16') as string },
    });
    expect(await refresh(client(), new Secret('r'), {}, { http })).toMatchObject({
      error: { message: expect.stringContaining('UTF-16') as string },
    });
  });
});

describe('a message of an MCP server', () => {
  async function answering(type: string, body: (message: string) => string | Buffer) {
    const site = await startSite();
    closing.push(() => site.close());
    site.routes['/mcp'] = (_request, response) =>
      response.writeHead(200, { 'content-type': type }).end(body('{"jsonrpc":"2.0","id":1,"result":{"ok":true}}'));
    const relay = await startRelayRig();
    closing.push(() => relay.close());
    relay.addServer('work', `${site.origin}/mcp`);
    return relay.host('work');
  }

  it.each([
    ['a JSON body', 'application/json', (message: string) => mark + message],
    ['a stream of events', 'text/event-stream', (message: string) => `${mark}data: ${message}\n\n`],
    ['the data of an event', 'text/event-stream', (message: string) => `data: ${mark}${message}\n\n`],
  ])('with a byte order mark before %s reaches the host without it', async (_, type, body) => {
    const host = await answering(type, body);
    expect(await host.request('ping')).toMatchObject({ result: { ok: true } });
    expect(host.lines[0]?.startsWith('{')).toBe(true);
  });

  it('in UTF-16 causes an error that says so', async () => {
    const host = await answering('application/json', utf16);
    expect((await host.request('ping')).error?.message).toContain('UTF-16');
  });
});

describe('the JSON reader', () => {
  it.each([
    [`${mark}{"a":1}`, { a: 1 }],
    [Buffer.from(`${mark}[1]`), [1]],
    [`"${mark}a"`, `${mark}a`],
    [`${mark}${mark}1`, undefined],
    ['null', null],
    ['', undefined],
    [mark, undefined],
    [utf16('{}'), undefined],
  ])('reads %j', (text, value) => {
    expect(readJson(text)).toEqual(value);
  });

  it('recognizes UTF-16 by its byte order mark alone', () => {
    expect(
      [utf16(''), Buffer.from([0xfe, 0xff]), Buffer.from(mark), Buffer.from('{'), Buffer.alloc(0)].map(isUtf16),
    ).toEqual([true, true, false, false, false]);
  });
});
