import type { NamedServer } from './authorization-server.ts';

/**
 * Where a server without any metadata must have its endpoints (MCP 2025-03-26, "Fallbacks for Servers without Metadata
 * Discovery"): at fixed paths of its own origin. That revision requires PKCE, so S256 is taken as announced. Later
 * revisions have no such rule, and a guess can hit anything: only with the setting `legacyEndpoints`.
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
