import { z } from 'zod';
import { ErrorInfo } from './reply.ts';

/** What a person calls a server: any text. Its name is made from it. */
export const ServerTitle = z.string().trim().min(1).max(100);

/** A server's name: what is typed at the command line and what a host's configuration says. */
export const ServerName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);

/** An account's name: made from who signed in, or chosen by the user, who types it too. */
export const AccountName = z.string().regex(/^[a-z0-9][a-z0-9._@+-]{0,99}$/);

/** A host to which a sign-in leads, and what happens there. With its port where that is not the usual one. */
export const EndpointHost = z.object({
  what: z.enum([
    'page',
    'device',
    'issuer',
    'token',
    'pushed_request',
    'registration',
    'userinfo',
    'revocation',
    'introspection',
    'exchange',
  ]),
  host: z.string().max(300),
});
export type EndpointHost = z.infer<typeof EndpointHost>;

/** All of them, for one issuer. */
export const SignInHosts = z.object({ issuer: z.string().max(2_000), hosts: z.array(EndpointHost).max(20).readonly() });
export type SignInHosts = z.infer<typeof SignInHosts>;

/**
 * Where a server's sign-in stands. One of these at any time; window, tray and command line are functions of it.
 * Times are Unix milliseconds.
 */
export const SignInState = z.discriminatedUnion('kind', [
  /** Added; it has not answered yet, so nobody knows whether it wants a sign-in. Calls go out without a token. */
  z.object({ kind: z.literal('not_checked') }),
  /** It has answered MCP without a token, and never asked for a sign-in. Calls go out without a token. */
  z.object({ kind: z.literal('open') }),
  /** It wants a sign-in, and nobody has signed in with this account. */
  z.object({ kind: z.literal('not_signed_in') }),
  /** A person signed out. */
  z.object({ kind: z.literal('signed_out') }),
  /** A person is signing in right now. `url` is the page in the browser; present once it is open (or should be). */
  z.object({
    kind: z.literal('signing_in'),
    step: z.enum(['discover', 'confirm', 'register', 'browser', 'exchange']),
    startedAt: z.number(),
    url: z.string().optional(),
    /**
     * Hosts that see the sign-in besides the issuer's own: the page, or where the code or the tokens go. From
     * `register` on.
     */
    otherHosts: z.array(z.string()).optional(),
    /** Step `confirm`: the hosts that the person has to confirm (`confirmSignIn`) before anything goes there. */
    confirm: z.array(EndpointHost).optional(),
    /** To be entered at `url`, on whatever device (sign-in by device code). */
    userCode: z.string().optional(),
    /** When the code ends. */
    endsAt: z.number().optional(),
    /** Set when no browser could be opened: the user opens `url` by hand. */
    browserFailed: z.boolean().optional(),
  }),
  /** Usable. `expiresAt`: of the access token in memory; absent when none is there yet or its life is unknown. */
  z.object({
    kind: z.literal('signed_in'),
    expiresAt: z.number().optional(),
    /** When the refresh ahead of expiry will run; absent when no bridge is connected. */
    refreshAt: z.number().optional(),
    /** When the sign-in itself ends, for which no refresh helps; present from a day before. */
    endsAt: z.number().optional(),
    /** False: the sign-in ends with its access token (there is no refresh token). */
    renewable: z.boolean(),
  }),
  /** The refresh meets a passing fault. The sign-in is kept. */
  z.object({ kind: z.literal('retrying'), error: ErrorInfo, nextTryAt: z.number() }),
  /** Only a person can go on: the sign-in ended at the authorization server, or never finished. */
  z.object({ kind: z.literal('needs_sign_in'), error: ErrorInfo }),
  /** The server wants more scopes than were granted. */
  z.object({
    kind: z.literal('needs_access'),
    error: ErrorInfo,
    /** What is new. */
    scopes: z.array(z.string()),
    granted: z.array(z.string()).optional(),
    /** Whose calls asked for it, newest last. `operation`: a tool's name, or a method's. */
    askedBy: z.array(z.object({ host: z.string(), operation: z.string() })).optional(),
  }),
  /** The store of secrets cannot be read now. Nothing is lost. */
  z.object({ kind: z.literal('store_blocked'), error: ErrorInfo }),
]);
export type SignInState = z.infer<typeof SignInState>;

/** One account on one server. */
export const ServerStatus = z.object({
  /** Of this entry: commands take it as `server`, and then need no `account`. */
  id: z.string(),
  name: z.string(),
  /** What the person calls it, where that is more than its name. */
  title: z.string().optional(),
  url: z.string(),
  state: SignInState,
  /** Present when the server has several. `isDefault`: for hosts and commands that name none. */
  account: z.object({ name: z.string(), isDefault: z.boolean() }).optional(),
  /** Who is signed in, as far as the server tells (from the ID token). */
  identity: z.string().optional(),
  /** Hosts connected right now, by the name they gave in `initialize`. */
  hosts: z.array(z.string()),
});
export type ServerStatus = z.infer<typeof ServerStatus>;

/** The named places where secrets can be kept, and whether the chosen one can be used now. */
export const StoreStatus = z.object({
  name: z.enum(['keychain', 'memory']),
  /** In plain words, e.g. "GNOME Keyring (Secret Service)". */
  label: z.string(),
  state: z.enum(['ready', 'locked', 'denied', 'unavailable']),
});
export type StoreStatus = z.infer<typeof StoreStatus>;

/** An entry of the list of servers that is not used. It stays in the file as it is. */
export const SetAside = z.object({
  /** Commands take it as `server`. */
  key: z.string(),
  name: z.string(),
  url: z.string().optional(),
  /** `changed`: by a program other than Keybridge; a person can accept it. `bad`: it cannot be understood. */
  why: z.enum(['changed', 'bad']),
  error: ErrorInfo,
});
export type SetAside = z.infer<typeof SetAside>;

export const Status = z.object({
  version: z.string(),
  front: z.enum(['desktop', 'headless']),
  /** 'development': the Electron that runs is a stand-in, not the one that ships. */
  runtime: z.enum(['release', 'development']),
  store: StoreStatus,
  servers: z.array(ServerStatus),
  /** Absent: there are none. */
  setAside: z.array(SetAside).optional(),
  /** A fault of the app itself, e.g. a damaged server list that was restored. */
  notice: ErrorInfo.optional(),
});
export type Status = z.infer<typeof Status>;

/** What discovery found at an address, before the server is added. */
export const Discovered = z.object({
  url: z.string(),
  suggestedName: z.string(),
  /** One sentence for a person: how this server signs people in. */
  summary: z.string(),
  needsSignIn: z.boolean(),
  issuer: z.string().optional(),
  /** Hosts that will see the sign-in, when they are not all the issuer's own. */
  otherHosts: z.array(z.string()),
  scopes: z.array(z.string()),
  /** How Keybridge becomes known to the authorization server. */
  registration: z.enum(['not_needed', 'dynamic', 'client_id_needed']),
  /** True: the authorization server does not announce PKCE; adding needs the user's explicit exception. */
  pkceMissing: z.boolean(),
  /** The provider, where Keybridge knows its ways, and what a person does there to get a client ID. */
  preset: z.string().optional(),
  advice: z.string().optional(),
  /** Where that is done; `openProviderPage` opens it. */
  providerPage: z.string().optional(),
  /**
   * What a person registers there as the redirect (callback) address. Present where a client ID is needed; kept for the
   * server that is added.
   */
  redirectUri: z.string().optional(),
});
export type Discovered = z.infer<typeof Discovered>;

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

/** Everything about one server that a person may see. Never a token. */
export const ServerDetail = z.object({
  status: ServerStatus,
  /** Of the server; one where it has no other. */
  accounts: z.array(z.object({ id: z.string(), name: z.string(), isDefault: z.boolean() })),
  /** True: the account signs in as a client of its own. */
  ownClient: z.boolean(),
  addedAt: z.number(),
  issuer: z.string().optional(),
  resource: z.string().optional(),
  clientId: z.string().optional(),
  registration: z.enum(['configured', 'metadata_document', 'dynamic']).optional(),
  /** The provider, where Keybridge knows its ways and goes by them. */
  preset: z.string().optional(),
  redirectUri: z.string().optional(),
  requestedScopes: z.array(z.string()),
  /**
   * As the server said; of the scopes for the authorization server itself (`offline_access`, `openid`, `profile`,
   * `email`) also what came of them.
   */
  grantedScopes: z.array(z.string()),
  /** Which tool has needed which scopes; the next sign-in asks for them at once. */
  learnedScopes: z.record(z.string(), z.array(z.string())).optional(),
  signedInAt: z.number().optional(),
  lastRefreshAt: z.number().optional(),
  /** True: who signed in stands in an ID token that was verified. */
  identityVerified: z.boolean(),
  /** What a person should know of the sign-in and its tokens: whole sentences. Nothing was refused for it. */
  tokenNotes: z.array(z.string()),
  /** Claims of the access token (if it is a JWT), and of the ID token and userinfo, as text for display. */
  accessTokenClaims: z.record(z.string(), z.string()).optional(),
  idTokenClaims: z.record(z.string(), z.string()).optional(),
  /**
   * What the authorization server says of an access token that nobody else can read (RFC 7662): scope, username, exp.
   */
  introspection: z.object({ active: z.boolean(), claims: z.record(z.string(), z.string()) }).optional(),
  allowMissingPkce: z.boolean(),
  settings: ServerSettings,
  /** Of the client certificate: Unix ms. Absent: there is none, or it cannot be read. */
  certificateExpiresAt: z.number().optional(),
  /** Names of the secrets that are stored for it; never their values. */
  storedSecrets: z.array(z.enum(secretNames)),
});
export type ServerDetail = z.infer<typeof ServerDetail>;

/** What sign-out did, for the person who asked for it. */
export const SignOutReport = z.object({
  /**
   * At the authorization server (RFC 7009). 'failed': it may still accept the old tokens until they expire.
   * 'key_stays': a fixed key, which has no end there.
   */
  revoked: z.enum(['confirmed', 'not_offered', 'failed', 'key_stays', 'nothing_to_revoke']),
  /** In the store of secrets on this computer. */
  deleted: z.boolean(),
  /** Of what Keybridge registered by itself at the authorization server (RFC 7592); absent where there was nothing. */
  registration: z.enum(['deleted', 'not_offered', 'failed']).optional(),
  /**
   * Of the sign-in at the company's identity provider, which this was the last server to use; absent: it stays, or
   * there is none.
   */
  company: z.enum(['confirmed', 'not_offered', 'failed']).optional(),
  detail: z.string().optional(),
});
export type SignOutReport = z.infer<typeof SignOutReport>;

/** How one host is pointed at the bridge. */
export const HostSnippet = z.object({
  host: z.string(),
  title: z.string(),
  /** Where the text goes, e.g. a path with ~ or a command line. */
  place: z.string(),
  language: z.enum(['json', 'toml', 'shell']),
  text: z.string(),
});
export type HostSnippet = z.infer<typeof HostSnippet>;
