import { describe, expect, it } from 'vitest';
import { identityLines } from '../../../electron/command-line/identity-lines.ts';
import { identityNotes } from '../../../electron/core/oauth/identity/identity-notes.ts';
import { scopesInEffect } from '../../../electron/core/oauth/tokens/granted-scopes.ts';
import type { ServerDetail } from '../../../shared/model.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { startOpenidSite, type OpenidOptions } from '../../fixtures/openid-site.ts';
import { startProduct } from '../../fixtures/product.ts';

const closing = closeAfterEach();

/** The detail of a server after a sign-in that asks for everything, and what the window and the terminal call lost. */
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

describe('what was asked and not granted, in window and terminal', () => {
  it('is nothing after a good sign-in whose token answer names the scopes of the server alone', async () => {
    const { lost, words } = await signedIn({ answer: { scope: 'mcp:tools' } });
    expect(lost).toEqual([]);
    expect(words).not.toContain('not granted');
  });

  it('is offline_access where no refresh token came, though the answer names it', async () => {
    const { lost, words } = await signedIn({
      answer: { scope: 'mcp:tools offline_access openid profile email', refresh_token: undefined },
    });
    expect(lost).toEqual(['offline_access']);
    expect(words).toContain('Requested, not granted: offline_access');
  });

  it('is openid, profile and email where no ID token came, and a scope of the server that the answer leaves out', async () => {
    const { lost, words } = await signedIn({ idToken: () => undefined, answer: { scope: 'mcp:read' } });
    expect(lost).toEqual(['mcp:tools', 'openid', 'profile', 'email']);
    expect(words).toContain('Requested, not granted: mcp:tools openid profile email');
  });

  it('is the e-mail address alone where the ID token has only a name', async () => {
    const { lost } = await signedIn({
      idToken: (issued) => issued.sign({ ...issued.claims, email: undefined }),
      answer: { scope: 'mcp:tools' },
    });
    expect(lost).toEqual(['email']);
  });
});

it('An ID token that could not be verified still shows that openid was granted', () => {
  const facts = { requestedScopes: ['openid'], grantedScopes: [], renewable: true };
  expect(scopesInEffect({ ...facts, identityNotes: [identityNotes.keys_unreachable] })).toEqual(['openid']);
  expect(scopesInEffect({ ...facts, identityNotes: [identityNotes.absent] })).toEqual([]);
  expect(scopesInEffect(facts)).toEqual([]);
});
