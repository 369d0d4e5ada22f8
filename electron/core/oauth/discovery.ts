import type { AddressPolicy, Http } from '../http/client.ts';

/** RFC 9728, the members that we use, validated. */
export interface ProtectedResource {
  /** Byte-exact as served: this string is the `resource` parameter (RFC 8707). */
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly resource_name?: string;
}

/** RFC 8414 / OpenID Connect Discovery, the members that we use, validated; unknown members are kept for openid-client. */
export interface AuthorizationServer {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly registration_endpoint?: string;
  readonly revocation_endpoint?: string;
  readonly introspection_endpoint?: string;
  readonly userinfo_endpoint?: string;
  readonly jwks_uri?: string;
  readonly scopes_supported?: readonly string[];
  readonly code_challenge_methods_supported?: readonly string[];
  readonly token_endpoint_auth_methods_supported?: readonly string[];
  readonly authorization_response_iss_parameter_supported?: boolean;
  readonly [member: string]: unknown;
}

/** A Bearer challenge (RFC 6750 3, RFC 9728 5.1), from a 401 or 403. */
export interface Challenge {
  readonly resourceMetadata?: string;
  readonly scope?: string;
  readonly error?: string;
}

/** `open`: the server answered without asking for a sign-in. */
export type Discovery =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'protected';
      /** Byte-exact `resource` for authorization and token requests. */
      readonly resource: string;
      readonly resourceName?: string;
      readonly authorizationServer: AuthorizationServer;
      /** By MCP's rule: the challenge's scope, else the resource's `scopes_supported`, else none; plus `offline_access` where offered. */
      readonly scopes: readonly string[];
      /** True: `code_challenge_methods_supported` is absent or has no S256. */
      readonly pkceMissing: boolean;
      /** Hosts of endpoints that are not the issuer's host. */
      readonly otherHosts: readonly string[];
      /** What may be connected to for this server: public, and the class of the MCP server's own address. */
      readonly allow: AddressPolicy;
    };

export interface DiscoveryOptions {
  readonly http: Http;
  readonly signal?: AbortSignal;
  /** A challenge that was already seen on a request to the server; without one the server is asked. */
  readonly challenge?: Challenge;
}
