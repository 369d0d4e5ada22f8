import { z } from 'zod';

/** For `private_key_jwt` (RFC 7518 section 3.1, RFC 8037 section 3.1). */
export const SigningAlgorithm = z.enum(['RS256', 'PS256', 'ES256', 'EdDSA']);

/**
 * How Keybridge signs in to one server where it deviates from the standard. An absent member means what discovery and
 * the specification say. Secrets are not settings: see `secretNames`.
 */
export const ServerSettings = z.strictObject({
  /**
   * How to get an access token. Defaults to `authorization_code`. `static_header`: the server does not use OAuth; a
   * header from the keychain is sent to its origin only.
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
   * Client authentication at the token endpoint. Defaults to the best method that the authorization server supports.
   * `client_secret_basic_raw`: for servers that do not decode the credentials in HTTP Basic (RFC 6749 section 2.3.1).
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
  /** File with the assertion of `jwt_bearer`, read at each use. Defaults to the secret `assertion`. */
  assertionFile: z.string().max(4_000).optional(),
  /** Signing algorithm and key id of `private_key_jwt`. */
  signingAlgorithm: SigningAlgorithm.optional(),
  keyId: z.string().max(200).optional(),
  /** URL of a client ID metadata document that the user or their company hosts. */
  clientMetadataUrl: z.string().max(2_000).optional(),
  /** `minimal`: those that the server's challenge asks for. `all`: those that the resource lists. Or exactly these. */
  scopes: z.union([z.enum(['minimal', 'all']), z.array(z.string().min(1).max(200)).max(100)]).optional(),
  /** The `resource` parameter (RFC 8707): as discovered, omitted, or exactly this. */
  resource: z.union([z.enum(['send', 'omit']), z.strictObject({ value: z.string().max(2_000) })]).optional(),
  /** Additional parameters of authorization and token requests. `{resource}` is replaced by the `resource`. */
  authorizeParameters: z.record(z.string().max(100), z.string().max(2_000)).optional(),
  tokenParameters: z.record(z.string().max(100), z.string().max(2_000)).optional(),
  /** A pair of different issuers to accept: as the server names it, and as its metadata says. */
  issuerException: z.strictObject({ named: z.string().max(2_000), found: z.string().max(2_000) }).optional(),
  /** An audience on another site to accept in access tokens for this server. */
  audienceException: z.string().max(2_000).optional(),
  /**
   * Name of a preset (electron/core/oauth/providers/presets.json). Defaults to that of the issuer. `none`: no preset.
   */
  preset: z.string().max(100).optional(),
  /** The header of `static_header`. Defaults to Authorization with Bearer. */
  headerName: z.string().max(100).optional(),
  /** Enterprise-managed authorization (SEP-990): the company's identity provider, and the client there. */
  enterprise: z
    .strictObject({
      issuer: z.string().max(2_000),
      clientId: z.string().max(2_000),
      /** For the token exchange. Defaults to that of the issuer's metadata. */
      tokenEndpoint: z.string().max(2_000).optional(),
      /** The host of the redirect URI. Defaults to 127.0.0.1. */
      redirectHost: z.enum(['127.0.0.1', 'localhost']).optional(),
      /** PEM file with certificate authorities, trusted only at the host of the identity provider. */
      caFile: z.string().max(4_000).optional(),
    })
    .optional(),
  /** The server publishes no metadata (MCP 2025-03-26): use /authorize, /token and /register of its origin. */
  legacyEndpoints: z.boolean().optional(),
  /** PEM file with certificate authorities, trusted besides the system's at the server's host and at `caOrigins`. */
  caFile: z.string().max(4_000).optional(),
  /** Further origins for `caFile`, for example the authorization server's. */
  caOrigins: z.array(z.string().max(2_000)).max(20).optional(),
  /** PEM or PKCS#12 file with the client certificate. Its key is in the keychain or in the same file. */
  clientCertificateFile: z.string().max(4_000).optional(),
  /**
   * DPoP-bound tokens (RFC 9449). Defaults to true if the authorization server supports and the resource requires them.
   */
  dpop: z.boolean().optional(),
  /** Whether to ask for openid, profile and email. Defaults to true if the server has several accounts. */
  identity: z.boolean().optional(),
});
export type ServerSettings = z.infer<typeof ServerSettings>;

/** Secrets of one server that the user enters. They are kept in the keychain, and no command returns them. */
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
