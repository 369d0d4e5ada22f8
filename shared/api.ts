import { z } from 'zod';
import { Discovered, HostSnippet, secretNames, ServerDetail, ServerName, ServerSettings, ServerStatus, SignOutReport, Status, StoreStatus } from './model.ts';

const OneServer = z.strictObject({ server: z.string().min(1).max(200) });
const Url = z.string().min(1).max(2_000);
const Secrets = z.partialRecord(z.enum(secretNames), z.string().min(1).max(32_000).nullable());

/**
 * The contract: every command that window, tray, command line and tests can call, with what it takes and gives.
 * `server` is a server's name or id.
 */
export const commands = {
  status: { input: z.undefined(), output: Status },
  /** Looks at an address without adding it. */
  discover: { input: z.strictObject({ url: Url }), output: Discovered },
  addServer: {
    input: z.strictObject({
      url: Url,
      /** Chosen from the host name when absent. */
      name: ServerName.optional(),
      clientId: z.string().min(1).max(2_000).optional(),
      clientSecret: z.string().min(1).max(4_000).optional(),
      allowMissingPkce: z.boolean().optional(),
      settings: ServerSettings.optional(),
      secrets: Secrets.optional(),
    }),
    output: ServerStatus,
  },
  /** Changes how Keybridge signs in to a server. An absent member stays as it is; null removes it. */
  configureServer: {
    input: OneServer.extend({
      clientId: z.string().min(1).max(2_000).nullable().optional(),
      clientSecret: z.string().min(1).max(4_000).nullable().optional(),
      allowMissingPkce: z.boolean().optional(),
      /** All settings: what is absent in it goes back to the standard way. */
      settings: ServerSettings.optional(),
      secrets: Secrets.optional(),
    }),
    output: ServerStatus,
  },
  serverDetail: { input: OneServer, output: ServerDetail },
  /** Answers when the sign-in has ended, well or not. `openBrowser: false` leaves opening the page to the caller. */
  signIn: { input: OneServer.extend({ openBrowser: z.boolean().default(true) }), output: ServerStatus },
  /** Not now: calls that wait for more access get their error, and the same is not asked again for ten minutes. */
  dismissAccess: { input: OneServer, output: ServerStatus },
  cancelSignIn: { input: OneServer, output: ServerStatus },
  /** Ends a waiting sign-in with the address that the browser was sent to, for when it cannot reach this computer. */
  finishSignIn: { input: OneServer.extend({ redirectUrl: z.string().min(1).max(32_000) }), output: ServerStatus },
  /** Refreshes now, whatever the back-off says. */
  refreshNow: { input: OneServer, output: ServerStatus },
  signOut: { input: OneServer, output: SignOutReport },
  /** Signs out of every server at once; a report each. */
  signOutEverywhere: { input: z.undefined(), output: z.array(z.object({ server: z.string(), report: SignOutReport })) },
  /** Signs out, then forgets the server. */
  removeServer: { input: OneServer, output: SignOutReport },
  /** What to put into a host's configuration. */
  hostSnippets: { input: OneServer, output: z.array(HostSnippet) },
  /** Asks the system to unlock the store of secrets; may show the system's own prompt. */
  unlockStore: { input: z.undefined(), output: StoreStatus },
} as const;

export type CommandName = keyof typeof commands;
export type Input<Name extends CommandName> = z.output<(typeof commands)[Name]['input']>;
export type Output<Name extends CommandName> = z.output<(typeof commands)[Name]['output']>;

/** The core's side of the table. */
export type Api = { [Name in CommandName]: (input: Input<Name>) => Promise<Output<Name>> };
/** What a caller passes: like Input, before defaults are filled in. */
export type CallInput<Name extends CommandName> = z.input<(typeof commands)[Name]['input']>;
