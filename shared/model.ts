import { z } from 'zod';
import { ErrorInfo } from './reply.ts';
import { SignInState } from './sign-in-state.ts';
import { ServerSettings, secretNames } from './server-settings.ts';

/** The user's title for a server: any text. The server's name is derived from it. */
export const ServerTitle = z.string().trim().min(1).max(100);

/** A server's name, as used at the command line and in a host's configuration. */
export const ServerName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);

/** An account's name: derived from the identity that signed in, or chosen by the user. */
export const AccountName = z.string().regex(/^[a-z0-9][a-z0-9._@+-]{0,99}$/);

/** One account on one server. */
export const ServerStatus = z.object({
  /** Identifies server and account. Commands accept it as `server`, and then need no `account`. */
  id: z.string(),
  name: z.string(),
  /** The user's title; absent if it equals the name. */
  title: z.string().optional(),
  url: z.string(),
  state: SignInState,
  /** Present if the server has several accounts. `isDefault`: used by hosts and commands that name none. */
  account: z.object({ name: z.string(), isDefault: z.boolean() }).optional(),
  /** Who is signed in, from the ID token or userinfo. */
  identity: z.string().optional(),
  /** The connected hosts, by the names that they gave in `initialize`. */
  hosts: z.array(z.string()),
});
export type ServerStatus = z.infer<typeof ServerStatus>;

/** Where secrets are stored, and whether the store can be used now. */
export const StoreStatus = z.object({
  name: z.enum(['keychain', 'memory']),
  /** For display, e.g. "GNOME Keyring (Secret Service)". */
  label: z.string(),
  state: z.enum(['ready', 'locked', 'denied', 'unavailable']),
});
export type StoreStatus = z.infer<typeof StoreStatus>;

/** An entry of servers.json that is not used, but stays in the file. */
export const SetAside = z.object({
  /** Commands accept it as `server`. */
  key: z.string(),
  name: z.string(),
  url: z.string().optional(),
  /** `changed`: by another program; the user can accept it. `bad`: it is invalid. */
  why: z.enum(['changed', 'bad']),
  error: ErrorInfo,
});
export type SetAside = z.infer<typeof SetAside>;

export const Status = z.object({
  version: z.string(),
  front: z.enum(['desktop', 'headless']),
  /** `development`: the app runs on another Electron than the one that ships. */
  runtime: z.enum(['release', 'development']),
  store: StoreStatus,
  servers: z.array(ServerStatus),
  /** Absent if there are none. */
  setAside: z.array(SetAside).optional(),
  /** A fault of the app itself, e.g. that a damaged servers.json was restored. */
  notice: ErrorInfo.optional(),
});
export type Status = z.infer<typeof Status>;

/** What discovery found at a URL, before the server is added. */
export const Discovered = z.object({
  url: z.string(),
  suggestedName: z.string(),
  /** One sentence for the user: how this server signs users in. */
  summary: z.string(),
  needsSignIn: z.boolean(),
  issuer: z.string().optional(),
  /** Other hosts than the issuer's that take part in the sign-in. */
  otherHosts: z.array(z.string()),
  scopes: z.array(z.string()),
  /** How Keybridge registers at the authorization server. */
  registration: z.enum(['not_needed', 'dynamic', 'client_id_needed']),
  /** The authorization server does not announce PKCE, so the user has to allow an exception (`allowMissingPkce`). */
  pkceMissing: z.boolean(),
  /** The provider if there is a preset for it, and how to get a client ID from it. */
  preset: z.string().optional(),
  advice: z.string().optional(),
  /** The page for that, which `openProviderPage` opens. */
  providerPage: z.string().optional(),
  /** The redirect URI to register there. Present if a client ID is needed. The added server keeps it. */
  redirectUri: z.string().optional(),
});
export type Discovered = z.infer<typeof Discovered>;

/** Everything about one account on a server that the user may see. Never a token. */
export const ServerDetail = z.object({
  status: ServerStatus,
  /** All accounts of the server. */
  accounts: z.array(z.object({ id: z.string(), name: z.string(), isDefault: z.boolean() })),
  /** The account has its own client ID. */
  ownClient: z.boolean(),
  addedAt: z.number(),
  issuer: z.string().optional(),
  resource: z.string().optional(),
  clientId: z.string().optional(),
  registration: z.enum(['configured', 'metadata_document', 'dynamic']).optional(),
  /** The title of the preset in use. */
  preset: z.string().optional(),
  redirectUri: z.string().optional(),
  requestedScopes: z.array(z.string()),
  /**
   * As the authorization server said. `offline_access`, `openid`, `profile` and `email` also count as granted if they
   * had an effect.
   */
  grantedScopes: z.array(z.string()),
  /** By tool: the scopes that it needed. The next sign-in asks for them. */
  learnedScopes: z.record(z.string(), z.array(z.string())).optional(),
  signedInAt: z.number().optional(),
  lastRefreshAt: z.number().optional(),
  /** The identity comes from a verified ID token. */
  identityVerified: z.boolean(),
  /** What a user should know of the sign-in and its tokens: whole sentences. Nothing was refused for it. */
  tokenNotes: z.array(z.string()),
  /** Claims of the access token (if it is a JWT), and of ID token and userinfo, as text for display. */
  accessTokenClaims: z.record(z.string(), z.string()).optional(),
  idTokenClaims: z.record(z.string(), z.string()).optional(),
  /** The result of introspection of an opaque access token (RFC 7662): scope, username, exp. */
  introspection: z.object({ active: z.boolean(), claims: z.record(z.string(), z.string()) }).optional(),
  allowMissingPkce: z.boolean(),
  settings: ServerSettings,
  /** Expiry of the client certificate, in Unix ms. Absent if there is none, or it cannot be read. */
  certificateExpiresAt: z.number().optional(),
  /** The names of its stored secrets, never their values. */
  storedSecrets: z.array(z.enum(secretNames)),
});
export type ServerDetail = z.infer<typeof ServerDetail>;

/** What a sign-out did. */
export const SignOutReport = z.object({
  /**
   * Revocation at the authorization server (RFC 7009). `failed`: it may accept the old tokens until they expire.
   * `key_stays`: a fixed key, which stays valid at the server.
   */
  revoked: z.enum(['confirmed', 'not_offered', 'failed', 'key_stays', 'nothing_to_revoke']),
  /** Deleted from the keychain. */
  deleted: z.boolean(),
  /** Deletion of a dynamic client registration (RFC 7592); absent if there was none. */
  registration: z.enum(['deleted', 'not_offered', 'failed']).optional(),
  /**
   * Revocation of the sign-in at the company's identity provider, if no other server uses it. Absent if it stays or
   * there is none.
   */
  company: z.enum(['confirmed', 'not_offered', 'failed']).optional(),
  detail: z.string().optional(),
});
export type SignOutReport = z.infer<typeof SignOutReport>;

/** How to configure one host to start the bridge. */
export const HostSnippet = z.object({
  host: z.string(),
  title: z.string(),
  /** Where the text belongs, e.g. a path with ~ or a command line. */
  place: z.string(),
  language: z.enum(['json', 'toml', 'shell']),
  text: z.string(),
});
export type HostSnippet = z.infer<typeof HostSnippet>;
