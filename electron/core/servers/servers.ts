import { z } from 'zod';
import { ServerName } from '../../../shared/model.ts';
import type { AppError } from '../errors.ts';

/** A client registration at one issuer (RFC 7591), without its secret, which lies in the vault. */
export const Registration = z.object({
  issuer: z.string(),
  client_id: z.string(),
  token_endpoint_auth_method: z.enum(['none', 'client_secret_basic', 'client_secret_post']),
  redirect_uri: z.string(),
  registeredAt: z.number(),
  /** True: a client secret for it is in the store, under `clientSecretAccount()`. */
  hasSecret: z.boolean(),
  /** Unix ms; absent: never. */
  secretExpiresAt: z.number().optional(),
  how: z.enum(['configured', 'dynamic']),
});
export type Registration = z.infer<typeof Registration>;

/** One server as the user added it. No secrets. */
export const Server = z.object({
  /** Random, for ever; store items and credentials are keyed by it, never by name or URL. */
  id: z.string().regex(/^[a-z0-9]{8,32}$/),
  name: ServerName,
  url: z.string(),
  addedAt: z.number(),
  /** Learned from the server: it answers 401 without a token. */
  signInRequired: z.boolean().default(false),
  /** Entered by the user. */
  clientId: z.string().optional(),
  hasClientSecret: z.boolean().default(false),
  allowMissingPkce: z.boolean().default(false),
  /** By issuer and redirect URI; used only for exactly these. */
  registrations: z.array(Registration).default([]),
});
export type Server = z.infer<typeof Server>;

export const ServersFile = z.object({
  version: z.literal(1),
  /** Keeps the store items of two data folders apart. */
  installId: z.string().regex(/^[a-z0-9]{8,32}$/),
  servers: z.array(Server),
});
export type ServersFile = z.infer<typeof ServersFile>;

/** The server list, in `servers.json`. Every change is on disk (temp, fsync, rename, with a backup) before the promise resolves. */
export interface Servers {
  readonly installId: string;
  list(): readonly Server[];
  /** By name or id. */
  find(server: string): Server | undefined;
  /** Throws E_SERVER_EXISTS, E_CONFIG_WRITE. */
  add(server: Omit<Server, 'id' | 'addedAt' | 'registrations'>): Promise<Server>;
  /** Throws E_SERVER_UNKNOWN, E_CONFIG_WRITE. */
  update(id: string, change: Partial<Omit<Server, 'id'>>): Promise<Server>;
  remove(id: string): Promise<void>;
  /** What was wrong with the file when it was opened: E_CONFIG_DAMAGED, E_CONFIG_NEWER (then read-only). */
  readonly notice: AppError | undefined;
}

/** Where the vault keeps the client secret that the user entered for a server. */
export const configuredSecretKey = (serverId: string): string => `${serverId}:configured`;
