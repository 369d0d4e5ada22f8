/**
 * How a client proves who it is at the token endpoint (RFC 7591 2, RFC 7523, RFC 8705). `_raw`: not form-encoded,
 * against RFC 6749 2.3.1.
 */
export const clientAuths = [
  'none',
  'client_secret_basic',
  'client_secret_basic_raw',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
] as const;
export type ClientAuth = (typeof clientAuths)[number];

/** Grants without a refresh token: what the user entered is used again, each time that a token is needed. */
export const repeatedGrants = ['client_credentials', 'jwt_bearer', 'enterprise_managed', 'static_header'] as const;
export type RepeatedGrant = (typeof repeatedGrants)[number];

/** Whether a new access token can be had without a person. */
export const isRenewable = ({
  refreshToken,
  grant,
}: {
  readonly refreshToken?: unknown;
  readonly grant?: RepeatedGrant;
}): boolean => refreshToken !== undefined || (grant !== undefined && grant !== 'static_header');
