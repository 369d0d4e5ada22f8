import { z } from 'zod';
import {
  AccountName,
  Discovered,
  HostSnippet,
  ServerDetail,
  ServerStatus,
  ServerTitle,
  SignOutReport,
  Status,
  StoreStatus,
} from './model.ts';
import { EndpointHost } from './sign-in-state.ts';
import { secretNames, ServerSettings, SigningAlgorithm } from './server-settings.ts';

const OneServer = z.strictObject({ server: z.string().min(1).max(200) });
const OneAccount = OneServer.extend({ account: z.string().min(1).max(200).optional() });
const Url = z.string().min(1).max(2_000);
const Secrets = z.partialRecord(z.enum(secretNames), z.string().min(1).max(32_000).nullable());

/**
 * The contract: every command that window, tray, command line and tests can call, with what it takes and gives.
 * `server` is a server's name or id, `account` an account's name or id; without one, the server's default account.
 */
export const commands = {
  status: { input: z.undefined(), output: Status },
  /**
   * Looks at an address without adding it. `settings`: what is known to be needed there, e.g. a certificate authority.
   */
  discover: { input: z.strictObject({ url: Url, settings: ServerSettings.optional() }), output: Discovered },
  /** Opens the page on which a known provider gives client IDs. `preset`: its title, as `discover` gave it. */
  openProviderPage: {
    input: z.strictObject({ preset: z.string().min(1).max(200) }),
    output: z.object({ url: z.string() }),
  },
  /** The providers whose ways Keybridge knows: the names that the setting `preset` takes. */
  presets: { input: z.undefined(), output: z.array(z.object({ name: z.string(), title: z.string() })) },
  addServer: {
    input: z.strictObject({
      url: Url,
      /** Any text: where it is no name as a command line takes it, that is made from it. Absent: from the host name. */
      name: ServerTitle.optional(),
      clientId: z.string().min(1).max(2_000).optional(),
      clientSecret: z.string().min(1).max(4_000).optional(),
      allowMissingPkce: z.boolean().optional(),
      settings: ServerSettings.optional(),
      secrets: Secrets.optional(),
    }),
    output: ServerStatus,
  },
  /**
   * Changes how Keybridge signs in to a server. An absent member stays as it is; null removes it. With an account, the
   * client ID and its secrets are that account's own; `headerValue`, `assertion` and `enterpriseIdToken` always are.
   */
  configureServer: {
    input: OneAccount.extend({
      clientId: z.string().min(1).max(2_000).nullable().optional(),
      clientSecret: z.string().min(1).max(4_000).nullable().optional(),
      allowMissingPkce: z.boolean().optional(),
      /** All settings: what is absent in it goes back to the standard way. */
      settings: ServerSettings.optional(),
      secrets: Secrets.optional(),
    }),
    output: ServerStatus,
  },
  /**
   * Makes the key of `private_key_jwt` (RFC 7523) in the store of secrets, which it never leaves, and sets how it is
   * used. Returns the public half, to be registered. `replace`: a key that is there already may end; without it that is
   * E_BAD_INPUT.
   */
  generateKey: {
    input: OneAccount.extend({ algorithm: SigningAlgorithm.default('ES256'), replace: z.boolean().default(false) }),
    output: z.object({ kid: z.string(), publicJwk: z.record(z.string(), z.string()), publicPem: z.string() }),
  },
  /**
   * Asks the server, without a token, whether it wants a sign-in, and keeps what it says. Throws why it could not be
   * asked.
   */
  checkServer: { input: OneAccount, output: ServerStatus },
  /**
   * Uses an entry of the list that another program added or changed. Its secrets stay bound to what they were entered
   * for.
   */
  acceptServer: { input: OneServer, output: ServerStatus },
  serverDetail: { input: OneAccount, output: ServerDetail },
  /**
   * Answers when the sign-in has ended, well or not. `openBrowser: false` leaves opening the page to the caller.
   * `canAsk`: a person sees the state meanwhile and can answer its step `confirm`; without one a sign-in that needs
   * that ends in E_HOSTS_UNCONFIRMED.
   */
  signIn: {
    input: OneAccount.extend({ openBrowser: z.boolean().default(true), canAsk: z.boolean().default(false) }),
    output: ServerStatus,
  },
  /**
   * The person's yes to exactly these hosts, as the state named them. Throws E_BAD_INPUT when it does not ask for
   * these.
   */
  confirmSignIn: { input: OneAccount.extend({ hosts: z.array(EndpointHost).max(20) }), output: ServerStatus },
  /** Not now: calls that wait for more access get their error, and the same is not asked again for ten minutes. */
  dismissAccess: { input: OneAccount, output: ServerStatus },
  cancelSignIn: { input: OneAccount, output: ServerStatus },
  /** Ends a waiting sign-in with the address that the browser was sent to, for when it cannot reach this computer. */
  finishSignIn: { input: OneAccount.extend({ redirectUrl: z.string().min(1).max(32_000) }), output: ServerStatus },
  /** Refreshes now, whatever the back-off says. */
  refreshNow: { input: OneAccount, output: ServerStatus },
  signOut: { input: OneAccount, output: SignOutReport },
  /** Signs out of every server at once; a report each. */
  signOutEverywhere: {
    input: z.undefined(),
    output: z.array(z.object({ server: z.string(), account: z.string().optional(), report: SignOutReport })),
  },
  /** One more account on a server, signed out at first. Its name is made from who signs in, unless given. */
  addAccount: { input: OneServer.extend({ name: AccountName.optional() }), output: ServerStatus },
  /** Names an account, or makes it the default one: hosts that name no account change over at once. */
  updateAccount: {
    input: OneAccount.extend({ name: AccountName.optional(), isDefault: z.literal(true).optional() }),
    output: ServerStatus,
  },
  /** Signs out, then forgets the account. Never the only one. */
  removeAccount: { input: OneAccount, output: SignOutReport },
  /** Signs out of every account, then forgets the server. */
  removeServer: { input: OneServer, output: SignOutReport },
  /** What to put into a host's configuration. */
  hostSnippets: { input: OneAccount, output: z.array(HostSnippet) },
  /** Asks the system to unlock the store of secrets; may show the system's own prompt. */
  unlockStore: { input: z.undefined(), output: StoreStatus },
} as const;

export type CommandName = keyof typeof commands;
type Input<Name extends CommandName> = z.output<(typeof commands)[Name]['input']>;
export type Output<Name extends CommandName> = z.output<(typeof commands)[Name]['output']>;

/** The core's side of the table. */
export type Api = { [Name in CommandName]: (input: Input<Name>) => Promise<Output<Name>> };
/** What a caller passes: like Input, before defaults are filled in. */
export type CallInput<Name extends CommandName> = z.input<(typeof commands)[Name]['input']>;
