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
 * The contract: every command that window, tray, command line and tests can call, with its input and output. `server`
 * is a server's name or id. `account` is an account's name or id, and defaults to the server's default account.
 */
export const commands = {
  status: { input: z.undefined(), output: Status },
  /** Runs discovery at a URL without adding a server. `settings`: those that it needs, e.g. a certificate authority. */
  discover: { input: z.strictObject({ url: Url, settings: ServerSettings.optional() }), output: Discovered },
  /** Opens the page of a known provider for client IDs. `preset`: its title, from `discover`. */
  openProviderPage: {
    input: z.strictObject({ preset: z.string().min(1).max(200) }),
    output: z.object({ url: z.string() }),
  },
  /** Lists the presets: the values of the setting `preset`, with the titles of their providers. */
  presets: { input: z.undefined(), output: z.array(z.object({ name: z.string(), title: z.string() })) },
  addServer: {
    input: z.strictObject({
      url: Url,
      /**
       * Any text. It becomes the title if it is not a valid name, which is then derived from it. Defaults to the host.
       */
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
   * Changes how Keybridge signs in to a server. An absent member stays unchanged; null removes it. With an account,
   * client ID and secrets apply to that account only; `headerValue`, `assertion` and `enterpriseIdToken` always do.
   */
  configureServer: {
    input: OneAccount.extend({
      clientId: z.string().min(1).max(2_000).nullable().optional(),
      clientSecret: z.string().min(1).max(4_000).nullable().optional(),
      allowMissingPkce: z.boolean().optional(),
      /** All settings: an absent one is reset to its default. */
      settings: ServerSettings.optional(),
      secrets: Secrets.optional(),
    }),
    output: ServerStatus,
  },
  /**
   * Generates the key of `private_key_jwt` (RFC 7523) in the keychain, which it never leaves, and changes the settings
   * to use it. Returns the public key to register. `replace` allows replacing an existing key, which is E_BAD_INPUT
   * otherwise.
   */
  generateKey: {
    input: OneAccount.extend({ algorithm: SigningAlgorithm.default('ES256'), replace: z.boolean().default(false) }),
    output: z.object({ kid: z.string(), publicJwk: z.record(z.string(), z.string()), publicPem: z.string() }),
  },
  /**
   * Finds out, without a token, whether the server needs a sign-in, and stores the result. Throws if it cannot be
   * reached.
   */
  checkServer: { input: OneAccount, output: ServerStatus },
  /** Accepts an entry of servers.json that another program added or changed. Its secrets keep their binding. */
  acceptServer: { input: OneServer, output: ServerStatus },
  serverDetail: { input: OneAccount, output: ServerDetail },
  /**
   * Resolves when the sign-in has ended. With `openBrowser: false` the caller opens the page. `canAsk`: the caller
   * shows the state and can confirm its hosts in step `confirm`; otherwise such a sign-in fails with
   * E_HOSTS_UNCONFIRMED.
   */
  signIn: {
    input: OneAccount.extend({ openBrowser: z.boolean().default(true), canAsk: z.boolean().default(false) }),
    output: ServerStatus,
  },
  /** Confirms exactly these hosts of the state. Throws E_BAD_INPUT if it asks for others. */
  confirmSignIn: { input: OneAccount.extend({ hosts: z.array(EndpointHost).max(20) }), output: ServerStatus },
  /** Fails the calls that wait for more scopes. The same scopes are not asked for again for ten minutes. */
  dismissAccess: { input: OneAccount, output: ServerStatus },
  cancelSignIn: { input: OneAccount, output: ServerStatus },
  /** Finishes a sign-in with the redirect URL from the browser, if that cannot reach this computer. */
  finishSignIn: { input: OneAccount.extend({ redirectUrl: z.string().min(1).max(32_000) }), output: ServerStatus },
  /** Refreshes the access token now, regardless of the backoff. */
  refreshNow: { input: OneAccount, output: ServerStatus },
  signOut: { input: OneAccount, output: SignOutReport },
  /** Signs out of every account, with a report for each. */
  signOutEverywhere: {
    input: z.undefined(),
    output: z.array(z.object({ server: z.string(), account: z.string().optional(), report: SignOutReport })),
  },
  /** Adds an account to a server, signed out. Its name defaults to the identity that signs in. */
  addAccount: { input: OneServer.extend({ name: AccountName.optional() }), output: ServerStatus },
  /** Renames an account, or makes it the default, which hosts that name no account use immediately. */
  updateAccount: {
    input: OneAccount.extend({ name: AccountName.optional(), isDefault: z.literal(true).optional() }),
    output: ServerStatus,
  },
  /** Signs out and removes the account, unless it is the only one. */
  removeAccount: { input: OneAccount, output: SignOutReport },
  /** Signs out of every account and removes the server. */
  removeServer: { input: OneServer, output: SignOutReport },
  /** Returns the entries for the configurations of hosts. */
  hostSnippets: { input: OneAccount, output: z.array(HostSnippet) },
  /** Asks the system to unlock the keychain, which may show a prompt. */
  unlockStore: { input: z.undefined(), output: StoreStatus },
} as const;

export type CommandName = keyof typeof commands;
type Input<Name extends CommandName> = z.output<(typeof commands)[Name]['input']>;
export type Output<Name extends CommandName> = z.output<(typeof commands)[Name]['output']>;

/** The implementation of the commands, in the core. */
export type Api = { [Name in CommandName]: (input: Input<Name>) => Promise<Output<Name>> };
/** The input that a caller passes, before defaults are applied. */
export type CallInput<Name extends CommandName> = z.input<(typeof commands)[Name]['input']>;
