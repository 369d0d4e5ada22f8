import { z } from 'zod';
import { secretNames, ServerName, ServerSettings } from '../../../shared/model.ts';
import { parseServerUrl } from './url.ts';

/** A client registration at one issuer (RFC 7591), without its secret, which lies in the vault. */
export const Registration = z.object({
  issuer: z.string(),
  client_id: z.string(),
  token_endpoint_auth_method: z.enum(['none', 'client_secret_basic', 'client_secret_post']),
  redirect_uri: z.string(),
  registeredAt: z.number(),
  /** True: a client secret for it is in the store, under `clientSecretKey()`. */
  hasSecret: z.boolean(),
  /** Unix ms; absent: never. */
  secretExpiresAt: z.number().optional(),
  how: z.enum(['configured', 'metadata_document', 'dynamic']),
  /** Where it can be deleted (RFC 7592); the token for that is in the store, under `managementTokenKey()`. */
  registration_client_uri: z.string().optional(),
});
export type Registration = z.infer<typeof Registration>;

/** One server as the user added it. No secrets. */
export const Server = z.object({
  /** Random, for ever; store items and credentials are keyed by it, never by name or URL. */
  id: z.string().regex(/^[a-z0-9]{8,32}$/),
  name: ServerName,
  url: z.string().transform(checkedUrl),
  addedAt: z.number(),
  /** Learned from the server: it answers 401 without a token. */
  signInRequired: z.boolean().default(false),
  /** Entered by the user. */
  clientId: z.string().optional(),
  hasClientSecret: z.boolean().default(false),
  /** The one issuer that may see the secret `initialAccessToken`: the first that it was used at. */
  initialAccessTokenIssuer: z.string().optional(),
  allowMissingPkce: z.boolean().default(false),
  settings: ServerSettings.default({}),
  /** Names of the secrets that the user entered, besides the client secret; they lie in the vault under `serverSecretKey()`. */
  storedSecrets: z.array(z.enum(secretNames)).default([]),
  /** Which tool (or method) has needed which scopes: the next sign-in asks for them at once. */
  learnedScopes: z.record(z.string().max(200), z.array(z.string().max(200)).max(100)).default({}),
  /** By issuer and redirect URI; used only for exactly these. */
  registrations: z.array(Registration).default([]),
});
export type Server = z.infer<typeof Server>;

export const ServersFile = z.object({
  version: z.literal(1),
  /** Keeps the store items of two data folders apart. */
  installId: z.string().regex(/^[a-z0-9]{8,32}$/),
  servers: z.array(Server).refine(tellsApart, 'names and ids must be unique'),
});
export type ServersFile = z.infer<typeof ServersFile>;

/** A file edited by hand keeps to the same rules as the form: no plain http to the outside, no password in an address. */
function checkedUrl(text: string, context: z.RefinementCtx): string {
  try {
    return parseServerUrl(text).href;
  } catch {
    context.addIssue('not the address of a server');
    return z.NEVER;
  }
}

function tellsApart(servers: readonly { id: string; name: string }[]): boolean {
  return new Set(servers.flatMap(({ id, name }) => [id, name])).size === servers.length * 2;
}
