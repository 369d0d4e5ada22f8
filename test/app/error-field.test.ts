import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { dispatch } from '../../electron/core/app/dispatch.ts';
import { asAppError } from '../../electron/core/base/errors.ts';
import { readAuthorities, readClientCertificate } from '../../electron/core/http/tls-material.ts';
import { neededSecret, workloadAssertion } from '../../electron/core/oauth/entered-secrets.ts';
import { clientMetadataUrl } from '../../electron/core/oauth/registration/registration-advice.ts';
import { rulesFor } from '../../electron/core/oauth/sign-in/provider-rules.ts';
import type { Api } from '../../shared/api.ts';
import type { Discovery } from '../../electron/core/oauth/model.ts';
import type { Server } from '../../electron/core/servers/server.ts';
import type { ServerSettings } from '../../shared/server-settings.ts';

/** The field in an error as window and command line get it. */
const fieldOf = (error: unknown) => asAppError(error).about('work').toInfo().field;

async function failure(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('It did not fail.');
}

describe('an error about an input names the field where the window shows it', () => {
  const discovery = { issuerNamed: 'https://as.example', resource: 'https://mcp.example' } as Extract<
    Discovery,
    { kind: 'protected' }
  >;
  const nowhere = path.join(os.tmpdir(), 'keybridge-no-such-file.pem');

  it.each<[string, ServerSettings]>([
    ['settings.preset', { preset: 'no-such-provider' }],
    ['settings.authorizeParameters', { authorizeParameters: { state: 'mine' } }],
    ['settings.tokenParameters', { tokenParameters: { code_verifier: 'mine' } }],
  ])('%s', async (field, settings) => {
    expect(fieldOf(await failure(() => rulesFor(settings, discovery)))).toBe(field);
  });

  it('settings.clientMetadataUrl', async () => {
    const authorizationServer = {
      issuer: '',
      authorization_endpoint: '',
      token_endpoint: '',
      client_id_metadata_document_supported: true,
    };
    expect(
      fieldOf(
        await failure(() => clientMetadataUrl({ clientMetadataUrl: 'http://mine.example/a' }, authorizationServer)),
      ),
    ).toBe('settings.clientMetadataUrl');
  });

  it('settings.caFile and settings.clientCertificateFile', async () => {
    expect(fieldOf(await failure(() => readAuthorities(nowhere)))).toBe('settings.caFile');
    expect(fieldOf(await failure(() => readAuthorities('relative.pem')))).toBe('settings.caFile');
    expect(fieldOf(await failure(() => readClientCertificate(nowhere, {})))).toBe('settings.clientCertificateFile');
  });

  it('a missing secret, and a file without an assertion', async () => {
    const server = {
      name: 'work',
      url: 'https://work.example/mcp',
      settings: { assertionFile: nowhere },
      registrations: [],
      storedSecrets: [],
      id: 'a',
      serverId: 'a',
      account: { id: 'a', ownClient: false },
    } as unknown as Server;
    const vault = { readClientSecret: async () => ({ kind: 'absent' }) as const };
    expect(fieldOf(await failure(() => neededSecret(vault, server, 'headerValue', {})))).toBe('secrets.headerValue');
    expect(fieldOf(await failure(() => workloadAssertion(vault, server, {})))).toBe('settings.assertionFile');
  });

  it('a member that the command table refuses', async () => {
    const reply = await dispatch({} as Api, 'configureServer', { server: 'work', settings: { caFile: 7 } });
    expect(reply).toMatchObject({ ok: false, error: { code: 'E_BAD_INPUT', field: 'settings.caFile' } });
  });
});
