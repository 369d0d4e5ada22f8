import { describe, expect, it } from 'vitest';
import { identityLines } from '../../../electron/command-line/identity-lines.ts';
import { scopesInEffect } from '../../../electron/core/oauth/tokens/granted-scopes.ts';
import type { ServerDetail } from '../../../shared/model.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { startOpenidSite, type OpenidOptions } from '../../fixtures/openid-site.ts';
import { startProduct } from '../../fixtures/product.ts';

const closing = closeAfterEach();

/** Signs in with all scopes; returns the server's detail, the scopes that were not granted, and the terminal's text. */
async function signedIn(
  options: OpenidOptions,
): Promise<{ readonly detail: ServerDetail; readonly lost: readonly string[]; readonly words: string }> {
  const site = await startOpenidSite({
    scopes: ['mcp:tools'],
    metadata: { scopes_supported: ['openid', 'profile', 'email', 'offline_access', 'mcp:tools'] },
    ...options,
  });
  closing.push(() => site.close());
  const product = await startProduct();
  closing.push(() => product.close());
  await product.call('addServer', { url: site.mcpUrl, name: 'tools', settings: { identity: true } });
  await product.call('signIn', { server: 'tools' });
  const detail = await product.call('serverDetail', { server: 'tools' });
  expect(detail.requestedScopes).toEqual(['mcp:tools', 'offline_access', 'openid', 'profile', 'email']);
  return {
    detail,
    lost: detail.requestedScopes.filter((scope) => !detail.grantedScopes.includes(scope)),
    words: identityLines(detail).join('\n'),
  };
}

describe('scopes that were requested and not granted, as shown to the user', () => {
  it('are none when the token response names only the scopes of the server', async () => {
    const { lost, words } = await signedIn({ answer: { scope: 'mcp:tools' } });
    expect(lost).toEqual([]);
    expect(words).not.toContain('not granted');
  });

  it('include offline_access when there is no refresh token, even if the response names the scope', async () => {
    const { lost, words } = await signedIn({
      answer: { scope: 'mcp:tools offline_access openid profile email', refresh_token: undefined },
    });
    expect(lost).toEqual(['offline_access']);
    expect(words).toContain('Requested, not granted: offline_access');
  });

  it('include openid, profile and email without an ID token, and each scope that the response omits', async () => {
    const { lost, words } = await signedIn({ idToken: () => undefined, answer: { scope: 'mcp:read' } });
    expect(lost).toEqual(['mcp:tools', 'openid', 'profile', 'email']);
    expect(words).toContain('Requested, not granted: mcp:tools openid profile email');
  });

  it('include only email when the ID token has a name and no e-mail address', async () => {
    const { lost } = await signedIn({
      idToken: (issued) => issued.sign({ ...issued.claims, email: undefined }),
      answer: { scope: 'mcp:tools' },
    });
    expect(lost).toEqual(['email']);
  });
});

it('An ID token that could not be verified still proves that openid was granted', () => {
  const facts = { requestedScopes: ['openid'], grantedScopes: [], renewable: true };
  expect(scopesInEffect({ ...facts, identityNotes: ['keys_unreachable'] })).toEqual(['openid']);
  expect(scopesInEffect({ ...facts, identityNotes: ['absent'] })).toEqual([]);
  expect(scopesInEffect(facts)).toEqual([]);
});
