import { z } from 'zod';
import { AccountName, ServerName, ServerTitle } from '../../../shared/model.ts';
import { parseServerUrl } from './url.ts';
import { SignInHosts } from '../../../shared/sign-in-state.ts';
import { secretNames, ServerSettings, type SecretName } from '../../../shared/server-settings.ts';

/** A client registration at one issuer (RFC 7591), without its secret, which is in the vault. */
export const Registration = z.object({
  issuer: z.string(),
  client_id: z.string(),
  token_endpoint_auth_method: z.enum(['none', 'client_secret_basic', 'client_secret_post']),
  redirect_uri: z.string(),
  registeredAt: z.number(),
  /** Whether the vault has its client secret, under `clientSecretKey()`. */
  hasSecret: z.boolean(),
  /** Unix ms. Absent if it never expires. */
  secretExpiresAt: z.number().optional(),
  /** When the registration itself expires, according to its server. Unix ms. */
  endsAt: z.number().optional(),
  /** When it was last renewed (RFC 7592). Unix ms. */
  renewedAt: z.number().optional(),
  how: z.enum(['configured', 'metadata_document', 'dynamic']),
  /** Scopes that the server has rejected by name. Sign-ins with this client do not request them. */
  refusedScopes: z.array(z.string()).optional(),
  /**
   * Where it can be managed and deleted (RFC 7592). The token for that is in the vault, under `managementTokenKey()`.
   */
  registration_client_uri: z.string().optional(),
});
export type Registration = z.infer<typeof Registration>;

/** The OAuth client that the user entered. */
const client = {
  clientId: z.string().optional(),
  hasClientSecret: z.boolean().default(false),
  /** The secrets that the user entered, besides the client secret. They are in the vault, under `secretKeyOf()`. */
  storedSecrets: z.array(z.enum(secretNames)).default([]),
};

/** One signed-in identity on one server. Nothing here is ever used for another account. */
export const Account = z.object({
  /** Never changes. Random, except for the first account. */
  id: z.string().regex(/^[a-z0-9]{4,32}$/),
  name: AccountName,
  /** True: the name was not chosen by a user, and is replaced by who signs in. */
  autoNamed: z.boolean().default(true),
  /** When a user last signed out. Unix ms. Absent if never. */
  signedOutAt: z.number().optional(),
  /** The account's own client. Defaults to that of the server. */
  ...client,
  /** The scopes that each tool (or method) has turned out to need. The next sign-in requests them from the start. */
  learnedScopes: z.record(z.string().max(200), z.array(z.string().max(200)).max(100)).default({}),
  /** Each is used only with exactly its issuer and redirect URI. */
  registrations: z.array(Registration).default([]),
});
export type Account = z.infer<typeof Account>;

/** The account that every server starts with. */
export const firstAccount = 'main';

const { enterprise, issuerException, resource } = ServerSettings.shape;
const [resourceMode, resourceValue] = resource.unwrap().options;

/**
 * Like ServerSettings, but ignores unknown members instead of rejecting them: in the file, they may come from another
 * version of Keybridge. They are kept when the file is written.
 */
const StoredSettings = z.object({
  ...ServerSettings.shape,
  enterprise: z.object(enterprise.unwrap().shape).optional(),
  issuerException: z.object(issuerException.unwrap().shape).optional(),
  resource: z.union([resourceMode, z.object(resourceValue.shape)]).optional(),
});

/** `enterprise` is reserved: it keys the sign-ins of companies. */
export const serverId = /^(?!enterprise$)[a-z0-9]{8,32}$/;

/** One server as the user added it. No secrets. */
export const StoredServer = z
  .object({
    /** Random; never changes. Store items and credentials are keyed by it, never by name or URL. */
    id: z.string().regex(serverId),
    name: ServerName,
    /** The name that the user gave it, if that is not a valid `name`. */
    title: ServerTitle.optional(),
    url: z.string().transform(checkedUrl),
    addedAt: z.number(),
    /** True: the server has responded with 401 to a request without a token. False: it has not, or was never asked. */
    signInRequired: z.boolean().default(false),
    /** When it last accepted an MCP request without a token. Unix ms. Absent if never. */
    openSeenAt: z.number().optional(),
    ...client,
    /** The only issuer that the secret `initialAccessToken` may be sent to: the first that it was used at. */
    initialAccessTokenIssuer: z.string().optional(),
    allowMissingPkce: z.boolean().default(false),
    /** Sign-ins across hosts with different owners that a user has confirmed. Each applies to exactly these hosts. */
    confirmedHosts: z.array(SignInHosts).default([]),
    /** The networks of the server and of its company's identity provider, by the addresses actually connected to. */
    networks: z
      .array(
        z.object({
          origin: z.string().max(2_000),
          own: z.enum(['public', 'private', 'loopback', 'link_local', 'unspecified']),
        }),
      )
      .default([]),
    /**
     * The redirect URI that a user was told to register at this issuer. A client entered later uses only this one.
     */
    reservedRedirect: z.object({ issuer: z.string().max(2_000), redirect_uri: z.string().max(500) }).optional(),
    settings: StoredSettings.default({}),
    accounts: z
      .array(Account)
      .min(1)
      .max(100)
      .refine(areDistinct, 'names and ids must be unique')
      .prefault([{ id: firstAccount, name: firstAccount }]),
    /** Id of the account that is used if none is named. */
    defaultAccount: z.string().default(firstAccount),
  })
  .refine(
    ({ accounts, defaultAccount }) => accounts.some(({ id }) => id === defaultAccount),
    'the default account must be one of them',
  );
export type StoredServer = z.infer<typeof StoredServer>;

/**
 * A server as seen by one of its accounts. Sign-in, calls and refresh work with this type, so they cannot reach
 * anything that belongs to another account.
 */
export interface Server
  extends
    Omit<StoredServer, 'accounts' | 'defaultAccount'>,
    Pick<Account, 'learnedScopes' | 'registrations' | 'signedOutAt'> {
  /** `<server id>:<account id>`. Everything that belongs to this account is keyed by it, including its credential. */
  readonly id: string;
  readonly serverId: string;
  readonly account: {
    readonly id: string;
    readonly name: string;
    readonly autoNamed: boolean;
    readonly isDefault: boolean;
    /** True: the server has no other account. */
    readonly alone: boolean;
    readonly ownClient: boolean;
  };
}

/** Returns one view per account, in the order in which the accounts were added. */
export function viewsOf({ accounts, defaultAccount, ...server }: StoredServer): Server[] {
  return accounts.map(
    ({ id, name, autoNamed, signedOutAt, clientId, hasClientSecret, storedSecrets, learnedScopes, registrations }) => {
      const ownClient = clientId !== undefined;
      const isStored = (secret: SecretName) =>
        (belongsToAccount(secret, ownClient) ? storedSecrets : server.storedSecrets).includes(secret);
      return {
        ...server,
        ...(ownClient ? { clientId } : {}),
        id: `${server.id}:${id}`,
        serverId: server.id,
        account: { id, name, autoNamed, isDefault: id === defaultAccount, alone: accounts.length === 1, ownClient },
        hasClientSecret: ownClient ? hasClientSecret : server.hasClientSecret,
        storedSecrets: secretNames.filter(isStored),
        learnedScopes,
        registrations,
        signedOutAt,
      };
    },
  );
}

/** Authenticate a user or workload. */
const personalSecrets = new Set<SecretName>(['headerValue', 'assertion', 'enterpriseIdToken']);
/** Authenticate the client. */
const clientSecrets = new Set<SecretName>(['clientSecret', 'privateKey']);

/** Whether a secret belongs to one account. The others are shared by all accounts of the server. */
export const belongsToAccount = (name: SecretName, ownClient: boolean): boolean =>
  personalSecrets.has(name) || (ownClient && clientSecrets.has(name));

/** Returns the key under which the vault keeps a secret that the user entered. */
export function secretKeyOf(
  { id, serverId, account }: Pick<Server, 'id' | 'serverId' | 'account'>,
  name: SecretName,
): string {
  const owner = belongsToAccount(name, account.ownClient) ? id : serverId;
  return `${owner}:${name === 'clientSecret' ? 'configured' : name}`;
}

/** Applies the rules of the form to a file that was edited by hand: no plain http to other computers, no password. */
function checkedUrl(text: string, context: z.RefinementCtx): string {
  try {
    return parseServerUrl(text).href;
  } catch {
    context.addIssue('not the address of a server');
    return z.NEVER;
  }
}

/** Whether no name or id is used twice, also not the name of one account as the id of another. */
function areDistinct(all: readonly { id: string; name: string }[]): boolean {
  return all.every((one) =>
    all.every((other) => one === other || (one.name !== other.name && one.name !== other.id && one.id !== other.id)),
  );
}
