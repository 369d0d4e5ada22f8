import { z } from 'zod';

/** Of `private_key_jwt` (RFC 7518 3.1, RFC 8037 3.1). */
export const SigningAlgorithm = z.enum(['RS256', 'PS256', 'ES256', 'EdDSA']);

/**
 * How Keybridge signs in to one server, where the standard way does not do. Every member is optional; an absent one
 * means what discovery and the specification say. No secrets: those are ServerSecrets.
 */
export const ServerSettings = z.strictObject({
  /**
   * How an access token is got. Absent: a person signs in through the browser (authorization code).
   * `static_header`: the server has no OAuth; a header from the keychain is sent to its origin alone.
   */
  grant: z
    .enum([
      'authorization_code',
      'device_code',
      'client_credentials',
      'jwt_bearer',
      'enterprise_managed',
      'static_header',
    ])
    .optional(),
  /**
   * At the token endpoint; absent: chosen from what the authorization server supports. `client_secret_basic_raw`: for a
   * server that does not decode what HTTP Basic carries (RFC 6749 2.3.1).
   */
  clientAuth: z
    .enum([
      'none',
      'client_secret_basic',
      'client_secret_basic_raw',
      'client_secret_post',
      'private_key_jwt',
      'tls_client_auth',
    ])
    .optional(),
  /** File with the assertion of `jwt_bearer`, read at each use: platforms renew it. Absent: the secret `assertion`. */
  assertionFile: z.string().max(4_000).optional(),
  /** Signing algorithm and key id of `private_key_jwt`. */
  signingAlgorithm: SigningAlgorithm.optional(),
  keyId: z.string().max(200).optional(),
  /** URL of a client ID metadata document that the user (or their company) hosts. */
  clientMetadataUrl: z.string().max(2_000).optional(),
  /**
   * `minimal`: only what the server's challenge asks for. `all`: everything that the resource lists. Or exactly these.
   */
  scopes: z.union([z.enum(['minimal', 'all']), z.array(z.string().min(1).max(200)).max(100)]).optional(),
  /** The `resource` parameter (RFC 8707): as found, left out, or exactly this. */
  resource: z.union([z.enum(['send', 'omit']), z.strictObject({ value: z.string().max(2_000) })]).optional(),
  /**
   * More parameters of the authorization request, and of each token request. `{resource}` stands for the `resource`.
   */
  authorizeParameters: z.record(z.string().max(100), z.string().max(2_000)).optional(),
  tokenParameters: z.record(z.string().max(100), z.string().max(2_000)).optional(),
  /** The one pair of issuers that is accepted although they differ: as the server names it, as the metadata says. */
  issuerException: z.strictObject({ named: z.string().max(2_000), found: z.string().max(2_000) }).optional(),
  /** The one audience of another site that access tokens for this server may name, exactly. */
  audienceException: z.string().max(2_000).optional(),
  /** Name of a preset (electron/core/oauth/providers/presets.json); absent: by the issuer. `none`: no preset at all. */
  preset: z.string().max(100).optional(),
  /** Name of the header of `static_header`; absent: Authorization with Bearer. */
  headerName: z.string().max(100).optional(),
  /** Enterprise-managed authorization (SEP-990): where the company signs people in, and as which client. */
  enterprise: z
    .strictObject({
      issuer: z.string().max(2_000),
      clientId: z.string().max(2_000),
      /** Of the token exchange; absent: as the issuer's metadata says. */
      tokenEndpoint: z.string().max(2_000).optional(),
      /** How the redirect URI names this computer; absent: 127.0.0.1. */
      redirectHost: z.enum(['127.0.0.1', 'localhost']).optional(),
      /** PEM file with the certificate authorities of the company's identity provider, trusted at its host alone. */
      caFile: z.string().max(4_000).optional(),
    })
    .optional(),
  /**
   * A server of MCP 2025-03-26 that publishes no metadata at all: sign in at /authorize, /token and /register of its
   * own origin.
   */
  legacyEndpoints: z.boolean().optional(),
  /**
   * PEM file with the certificate authorities of this server, added to the system's at its own host and at `caOrigins`.
   */
  caFile: z.string().max(4_000).optional(),
  /** Further origins where `caFile` counts, for example the authorization server's. */
  caOrigins: z.array(z.string().max(2_000)).max(20).optional(),
  /** PEM or PKCS#12 file with the client certificate; the key lies in the vault or in the same file. */
  clientCertificateFile: z.string().max(4_000).optional(),
  /**
   * DPoP-bound tokens (RFC 9449). Absent: when the authorization server lists algorithms for it and the resource asks.
   */
  dpop: z.boolean().optional(),
  /**
   * Whether to ask who signs in (scopes openid, profile, email). Absent: only where the server has several accounts.
   */
  identity: z.boolean().optional(),
});
export type ServerSettings = z.infer<typeof ServerSettings>;

/** Secrets of one server that the user enters; kept in the store of secrets, never given back. */
export const secretNames = [
  'clientSecret',
  'privateKey',
  'assertion',
  'headerValue',
  'initialAccessToken',
  'enterpriseClientSecret',
  'enterpriseIdToken',
  'clientCertificatePassword',
] as const;

export type SecretName = (typeof secretNames)[number];
