import { z } from 'zod';
import {
  AccountName,
  secretNames,
  ServerName,
  ServerSettings,
  ServerTitle,
  SignInHosts,
  type SecretName,
} from '../../../shared/model.ts';
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
  /** When the registration itself ends, as its server says: Unix ms. */
  endsAt: z.number().optional(),
  /** The last time that its server was asked to keep it (RFC 7592): Unix ms. */
  renewedAt: z.number().optional(),
  how: z.enum(['configured', 'metadata_document', 'dynamic']),
  /** Scopes that the server has refused by name: no sign-in with this client asks for them. */
  refusedScopes: z.array(z.string()).optional(),
  /** Where it can be deleted (RFC 7592); the token for that is in the store, under `managementTokenKey()`. */
  registration_client_uri: z.string().optional(),
});
export type Registration = z.infer<typeof Registration>;

/** The client that the user entered. */
const client = {
  clientId: z.string().optional(),
  hasClientSecret: z.boolean().default(false),
  /**
   * Names of the secrets that the user entered, besides the client secret; they lie in the vault under `secretKeyOf()`.
   */
  storedSecrets: z.array(z.enum(secretNames)).default([]),
};

/** One signed-in identity on one server. Nothing here is ever used for another account. */
export const Account = z.object({
  /** Random, but of the first; for ever. */
  id: z.string().regex(/^[a-z0-9]{4,32}$/),
  name: AccountName,
  /** True: the name is ours, and gives way to who signs in. */
  autoNamed: z.boolean().default(true),
  /** When a person last signed out. Unix ms; absent: never. */
  signedOutAt: z.number().optional(),
  /** A client of its own; absent: the server's. */
  ...client,
  /** Which tool (or method) has needed which scopes: the next sign-in asks for them at once. */
  learnedScopes: z.record(z.string().max(200), z.array(z.string().max(200)).max(100)).default({}),
  /** By issuer and redirect URI; used only for exactly these. */
  registrations: z.array(Registration).default([]),
});
export type Account = z.infer<typeof Account>;

/** The account that every server begins with. */
export const firstAccount = 'main';

const { enterprise, issuerException, resource } = ServerSettings.shape;
const [resourceMode, resourceValue] = resource.unwrap().options;

/**
 * As ServerSettings, which refuses what it does not know. In the file that may be of another version: it is not used,
 * and kept.
 */
const StoredSettings = z.object({
  ...ServerSettings.shape,
  enterprise: z.object(enterprise.unwrap().shape).optional(),
  issuerException: z.object(issuerException.unwrap().shape).optional(),
  resource: z.union([resourceMode, z.object(resourceValue.shape)]).optional(),
});

/** Companies' sign-ins are kept under `enterprise`. */
export const serverId = /^(?!enterprise$)[a-z0-9]{8,32}$/;

/** One server as the user added it. No secrets. */
export const StoredServer = z
  .object({
    /** Random, for ever; store items and credentials are keyed by it, never by name or URL. */
    id: z.string().regex(serverId),
    name: ServerName,
    /** What the person calls it, where that is more than its name. */
    title: ServerTitle.optional(),
    url: z.string().transform(checkedUrl),
    addedAt: z.number(),
    /**
     * Learned from the server: it answers 401 without a token. False alone says nothing: it may not have been asked.
     */
    signInRequired: z.boolean().default(false),
    /** When it last answered MCP without a token. Unix ms; absent: that was never seen. */
    openSeenAt: z.number().optional(),
    ...client,
    /** The one issuer that may see the secret `initialAccessToken`: the first that it was used at. */
    initialAccessTokenIssuer: z.string().optional(),
    allowMissingPkce: z.boolean().default(false),
    /** What a person has confirmed of sign-ins that lead to hosts of different owners: used for exactly these. */
    confirmedHosts: z.array(SignInHosts).default([]),
    /**
     * The networks in which the server, and its company's identity provider, were found: by address really connected
     * to.
     */
    networks: z
      .array(
        z.object({
          origin: z.string().max(2_000),
          own: z.enum(['public', 'private', 'loopback', 'link_local', 'unspecified']),
        }),
      )
      .default([]),
    /**
     * The redirect URI that a person was told to register at this issuer: a client that they enter is used with it
     * alone.
     */
    reservedRedirect: z.object({ issuer: z.string().max(2_000), redirect_uri: z.string().max(500) }).optional(),
    settings: StoredSettings.default({}),
    accounts: z
      .array(Account)
      .min(1)
      .max(100)
      .refine(tellsApart, 'names and ids must be unique')
      .prefault([{ id: firstAccount, name: firstAccount }]),
    /** Id of the account for who names none. */
    defaultAccount: z.string().default(firstAccount),
  })
  .refine(
    ({ accounts, defaultAccount }) => accounts.some(({ id }) => id === defaultAccount),
    'the default account must be one of them',
  );
export type StoredServer = z.infer<typeof StoredServer>;

/**
 * A server as ONE of its accounts sees it: what signs in, calls and refreshes works with this, and so can reach nothing
 * of another account.
 */
export interface Server
  extends
    Omit<StoredServer, 'accounts' | 'defaultAccount'>,
    Pick<Account, 'learnedScopes' | 'registrations' | 'signedOutAt'> {
  /** `<server id>:<account id>`: everything of this account is keyed by it, its credential too. */
  readonly id: string;
  readonly serverId: string;
  readonly account: {
    readonly id: string;
    readonly name: string;
    readonly autoNamed: boolean;
    readonly isDefault: boolean;
    /** The only one. */ readonly alone: boolean;
    readonly ownClient: boolean;
  };
}

/** One view for each account, in the order in which they were added. */
export function viewsOf({ accounts, defaultAccount, ...server }: StoredServer): Server[] {
  return accounts.map(
    ({ id, name, autoNamed, signedOutAt, clientId, hasClientSecret, storedSecrets, learnedScopes, registrations }) => {
      const ownClient = clientId !== undefined;
      const held = (secret: SecretName) =>
        (heldByAccount(secret, ownClient) ? storedSecrets : server.storedSecrets).includes(secret);
      return {
        ...server,
        ...(ownClient ? { clientId } : {}),
        id: `${server.id}:${id}`,
        serverId: server.id,
        account: { id, name, autoNamed, isDefault: id === defaultAccount, alone: accounts.length === 1, ownClient },
        hasClientSecret: ownClient ? hasClientSecret : server.hasClientSecret,
        storedSecrets: secretNames.filter(held),
        learnedScopes,
        registrations,
        signedOutAt,
      };
    },
  );
}

/** What proves who a person or workload is. */
const personal = new Set<SecretName>(['headerValue', 'assertion', 'enterpriseIdToken']);
/** What proves who the client is. */
const ofClient = new Set<SecretName>(['clientSecret', 'privateKey']);

/** Whether a secret belongs to the account alone; the others serve all accounts of the server. */
export const heldByAccount = (name: SecretName, ownClient: boolean): boolean =>
  personal.has(name) || (ownClient && ofClient.has(name));

/** Where the vault keeps a secret that the user entered. */
export function secretKeyOf(
  { id, serverId, account }: Pick<Server, 'id' | 'serverId' | 'account'>,
  name: SecretName,
): string {
  return `${heldByAccount(name, account.ownClient) ? id : serverId}:${name === 'clientSecret' ? 'configured' : name}`;
}

/**
 * A file edited by hand keeps to the same rules as the form: no plain http to the outside, no password in an address.
 */
function checkedUrl(text: string, context: z.RefinementCtx): string {
  try {
    return parseServerUrl(text).href;
  } catch {
    context.addIssue('not the address of a server');
    return z.NEVER;
  }
}

/** No name is another one's id. */
function tellsApart(all: readonly { id: string; name: string }[]): boolean {
  return all.every((one) =>
    all.every((other) => one === other || (one.name !== other.name && one.name !== other.id && one.id !== other.id)),
  );
}
