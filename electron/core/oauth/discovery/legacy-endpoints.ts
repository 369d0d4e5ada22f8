import type { NamedServer } from './authorization-server.ts';

/**
 * The endpoints of a server without metadata (MCP 2025-03-26, "Fallbacks for Servers without Metadata Discovery"):
 * fixed paths on its own origin. That revision requires PKCE, so S256 is assumed. Later revisions have no such rule,
 * and a guessed path may belong to something else: used only with the setting `legacyEndpoints`.
 */
export function legacyEndpoints({ origin }: URL): NamedServer {
  const metadata = {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    code_challenge_methods_supported: ['S256'],
  };
  return { named: origin, metadata };
}
