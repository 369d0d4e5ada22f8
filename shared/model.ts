import { z } from 'zod';
import { ErrorInfo } from './reply.ts';
import { SignInState } from './sign-in-state.ts';
import { ServerSettings, secretNames } from './server-settings.ts';

/** What a person calls a server: any text. Its name is made from it. */
export const ServerTitle = z.string().trim().min(1).max(100);

/** A server's name: what is typed at the command line and what a host's configuration says. */
export const ServerName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);

/** An account's name: made from who signed in, or chosen by the user, who types it too. */
export const AccountName = z.string().regex(/^[a-z0-9][a-z0-9._@+-]{0,99}$/);

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
