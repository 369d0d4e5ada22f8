import { describe, expect, it } from 'vitest';
import { describeError } from '../../../electron/platform/terminal.ts';
import { AppError, asAppError } from '../../../electron/core/base/errors.ts';
import { readPresets } from '../../../electron/core/oauth/providers/presets.ts';
import { audienceFault, knownAudiences, type KnownAudiences } from '../../../electron/core/oauth/tokens/audience.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { defined } from '../../../shared/defined.ts';
import { errorCodeOf } from '../../fixtures/bridge-place.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { textOf } from '../../fixtures/host.ts';
import { createAccessTokensRig, credentialId, outcomeOf } from '../../fixtures/access-tokens-rig.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startOpenidSite } from '../../fixtures/openid-site.ts';
import { startProduct } from '../../fixtures/product.ts';
import { rotating } from '../../fixtures/scripted-http.ts';
import type { ServerSettings } from '../../../shared/server-settings.ts';

const closing = closeAfterEach();

const graph = 'https://graph.example/v1';
const base64Json = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: object) => `${base64Json({ alg: 'RS256', typ: 'at+jwt' })}.${base64Json(claims)}.c2ln`;

describe('the audience of an access token', () => {
  const facts = {
    issuer: 'https://login.company.example/realms/staff',
    resource: 'https://mcp.tools.example/mcp',
    clientId: 'https://me.example/keybridge.json',
  };
  const judge = (aud: unknown, settings: ServerSettings = {}, more: Partial<KnownAudiences> = {}) =>
    audienceFault(new Secret(jwt({ aud })), {
      ...knownAudiences({ url: 'https://mcp.tools.example/mcp', settings }, facts),
      ...more,
    });

  it.each<[string, unknown, ServerSettings?]>([
    ['the server itself', 'https://mcp.tools.example/mcp'],
    ['a sister host of the server', 'https://api.tools.example'],
    ['a sister host of the issuer', ['https://api.company.example/userinfo']],
    ['an identifier that is no URL', '3f1c7a52-0000-4000-8000-5f1d'],
    ['an application URI', 'api://3f1c7a52'],
    ['an identifier that is no URL, next to another website', [graph, 'account']],
    ['our own client ID, even if it is an address', 'https://me.example/keybridge.json'],
    ['the resource that the user set', 'https://other.example/', { resource: { value: 'https://other.example' } }],
    ['the audience that the settings request', graph, { authorizeParameters: { audience: graph } }],
    ['the accepted exception', graph, { audienceException: graph }],
    ['the accepted exception next to another website', ['https://more.example', graph], { audienceException: graph }],
    ['absent', undefined],
    ['an empty list', []],
  ])('is accepted when it is %s', (_what, aud, settings) => {
    const known = knownAudiences(
      { url: 'https://mcp.tools.example/mcp', settings: settings ?? {} },
      {
        ...facts,
        ...defined({ resource: typeof settings?.resource === 'object' ? settings.resource.value : undefined }),
      },
    );
    expect(audienceFault(new Secret(jwt({ aud })), known)).toBeUndefined();
  });

  it.each<[string, unknown, ServerSettings?]>([
    ['another website', graph],
    ['several other websites', [graph, 'https://mail.example']],
    ['a website whose name ends like the server’s', 'https://eviltools.example'],
    ['the accepted exception plus one letter', `${graph}0`, { audienceException: graph }],
    ['another page of the accepted website', 'https://graph.example/v2', { audienceException: graph }],
    ['this computer, for a server on another one', 'http://localhost:8000'],
  ])('is rejected when it is %s', (_what, aud, settings) => {
    expect(judge(aud, settings)?.code).toBe('E_TOKEN_AUDIENCE');
  });

  it('is rejected when it is another customer of the same hosting provider', () => {
    const isAccepted = (server: string, aud: string) =>
      audienceFault(new Secret(jwt({ aud })), { sites: [server], exact: [], hosts: [] }) === undefined;
    expect(isAccepted('https://a.github.io', 'https://b.github.io')).toBe(false);
    expect(isAccepted('https://a.company.co.uk', 'https://b.company.co.uk')).toBe(true);
    expect(isAccepted('https://one.co.uk', 'https://two.co.uk')).toBe(false);
    expect(isAccepted('https://10.0.0.1', 'https://10.0.0.2')).toBe(false);
    expect(isAccepted('http://127.0.0.1:8080/mcp', 'http://localhost:8000')).toBe(true);
  });

  it('is accepted when a preset names its host, and only a preset for whole host names can name hosts', () => {
    expect(judge(graph, {}, { hosts: ['https://graph.example/'] })).toBeUndefined();
    expect(judge('https://other.graph.example', {}, { hosts: ['https://graph.example/'] })?.code).toBe(
      'E_TOKEN_AUDIENCE',
    );
    const file = (issuers: string[]) => () =>
      readPresets({
        version: 1,
        presets: [
          {
            name: 'some',
            title: 'Some',
            source: 'some document',
            ran: 'fixture',
            issuers,
            audiences: ['https://graph.example/'],
          },
        ],
      });
    expect(file(['https://some.example/*'])).not.toThrow();
    expect(file(['/some/*'])).toThrow();
  });

  it('is offered as an exception only if it can be displayed unchanged', () => {
    expect(judge(graph)?.audience).toBe(graph);
    expect(judge('https://graph.example/\u202ev1')?.audience).toBeUndefined();
    expect(judge(['https://graph.example/\u202ev1', 'https://mail.example'])?.audience).toBe('https://mail.example');
  });

  it('is shown in the terminal with the command that accepts it', () => {
    const words = describeError((judge(graph) ?? new AppError('E_UNEXPECTED', '')).about('tools').toInfo());
    expect(words).toContain(`keybridge configure tools --set 'audienceException=${graph}'`);
    const odd = describeError({
      ...new AppError('E_TOKEN_AUDIENCE', '', { audience: "https://graph.example/'; rm" }).about('tools').toInfo(),
    });
    expect(odd).not.toContain('configure');
  });
});

describe('an access token for another website', () => {
  it('is withheld after a refresh, without further refreshes, until its audience is accepted', async () => {
    const rig = await createAccessTokensRig();
    await rig.signIn();
    const stop = rig.tokens.keepFresh(credentialId);
    rig.audienceFault = new AppError('E_TOKEN_AUDIENCE', 'For another website.');
    rig.http.answer = rotating();
    await rig.clock.advance(80_000);
    expect(outcomeOf(await rig.tokens.accessToken(credentialId))).toBe('refused E_TOKEN_AUDIENCE');
    expect(rig.tokens.state(credentialId)).toMatchObject({ kind: 'ended', error: { code: 'E_TOKEN_AUDIENCE' } });
    await rig.clock.advance(86_400_000);
    expect(rig.http.refreshes).toHaveLength(1);
    rig.audienceFault = undefined;
    expect(rig.tokens.reviewAudience(credentialId)).toBe(true);
    expect(outcomeOf(await rig.tokens.accessToken(credentialId))).toBe('access-3');
    stop();
  });

  it('is withheld after a restart too when there is no refresh token', async () => {
    const rig = await createAccessTokensRig();
    rig.audienceFault = new AppError('E_TOKEN_AUDIENCE', 'For another website.');
    await expect(
      rig.signIn({ refreshToken: undefined as never, accessToken: new Secret('access-1') }),
    ).rejects.toMatchObject({ code: 'E_TOKEN_AUDIENCE' });
    const next = await rig.restart();
    next.audienceFault = rig.audienceFault;
    expect(outcomeOf(await next.tokens.accessToken(credentialId))).toBe('refused E_TOKEN_AUDIENCE');
    next.audienceFault = undefined;
    expect(next.tokens.reviewAudience(credentialId)).toBe(true);
    expect(outcomeOf(await next.tokens.accessToken(credentialId))).toBe('access-1');
  });

  it('is never sent to the server until exactly its audience is accepted, without a new sign-in', async () => {
    const token = jwt({ iss: 'https://login.example', aud: [graph, 'https://mail.example'], exp: 4_000_000_000 });
    const site = await startOpenidSite({ accessToken: () => token });
    closing.push(() => site.close());
    const sent: string[] = [];
    site.routes['/mcp'] = (request, response, { body }) => {
      const { authorization } = request.headers;
      if (authorization === undefined) return response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      sent.push(authorization);
      const { id, method, params } = JSON.parse(body || '{}') as {
        id?: number;
        method?: string;
        params?: { arguments?: { text?: string } };
      };
      const result =
        method === 'initialize'
          ? { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'site', version: '1' } }
          : { content: [{ type: 'text', text: params?.arguments?.text }] };
      return id === undefined ? response.writeHead(202).end() : sendJson(response, 200, { jsonrpc: '2.0', id, result });
    };
    const product = await startProduct();
    closing.push(() => product.close());
    await product.call('addServer', { url: site.mcpUrl, name: 'tools' });

    const failure = await product.call('signIn', { server: 'tools' }).catch((error: unknown) => (error as Error).cause);
    expect(failure).toMatchObject({
      code: 'E_TOKEN_AUDIENCE',
      audience: graph,
      server: 'tools',
      message: expect.stringContaining(graph) as unknown,
    });
    expect(product.browser.last?.text).toContain('E_TOKEN_AUDIENCE');
    expect((await product.call('status')).servers[0]?.state).toMatchObject({
      kind: 'needs_sign_in',
      error: { code: 'E_TOKEN_AUDIENCE', audience: graph },
    });
    const host = product.host('tools');
    await host.initialize();
    expect(errorCodeOf(await host.call('echo', { text: 'held' }, 30_000))).toBe('E_TOKEN_AUDIENCE');
    expect(
      await product
        .call('refreshNow', { server: 'tools' })
        .catch((error: unknown) => asAppError(error) && (error as Error).message),
    ).toBe('E_TOKEN_AUDIENCE');
    await product.call('configureServer', { server: 'tools', settings: { audienceException: `${graph}/other` } });
    expect(errorCodeOf(await host.call('echo', { text: 'held' }, 30_000))).toBe('E_TOKEN_AUDIENCE');
    expect(sent).toEqual([]);

    const status = await product.call('configureServer', { server: 'tools', settings: { audienceException: graph } });
    expect(status.state.kind).toBe('signed_in');
    expect(textOf(await host.call('echo', { text: 'sent' }, 30_000))).toBe('sent');
    expect(new Set(sent)).toEqual(new Set([`Bearer ${token}`]));
    expect(product.browser.openings).toBe(1);

    expect((await product.call('configureServer', { server: 'tools', settings: {} })).state.kind).toBe('needs_sign_in');
  });
});
