import { defined } from '../../shared/defined.ts';
import type { ServerStatus } from '../../shared/model.ts';
import { callBroker, watchStatus } from '../broker/control-client.ts';
import { asAppError, sanitizeExternalText } from '../core/base/errors.ts';
import { hasBrowser } from '../platform/system-browser.ts';
import type { Terminal } from '../platform/terminal.ts';
import { accountInput, type Command, type CommandContext } from './command.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { createLoginPrompts } from './login-prompts.ts';
import { entryName, t } from './text.ts';

export const login: Command = {
  operands: ['server'],
  options: ['account', 'no-browser'],
  summary: 'sign in to a server',
  help: `Usage: keybridge login <server> [--account NAME] [--no-browser]

Opens the sign-in page in the browser and waits until the sign-in is done. If no browser can be opened, prints the
address. If the browser runs on another computer, paste the address of its last page here. Ctrl-C cancels.

  --account NAME         sign in to this account of the server; a new name adds an account
`,
  async run([server = ''], context) {
    const { dataDir, options } = context;
    const { status } = await callBroker(dataDir, 'serverDetail', { server });
    const known = await callBroker(dataDir, 'serverDetail', accountInput(server, options)).catch((error: unknown) => {
      if (asAppError(error).code === 'E_ACCOUNT_UNKNOWN') return undefined;
      throw error;
    });
    if (known) return signIn(known.status.id, context);
    const added = await callBroker(dataDir, 'addAccount', {
      server: status.name,
      ...defined({ name: options.account }),
    });
    return signIn(added.id, context).catch(async (error: unknown) => {
      // Nobody signed in, so the new account is removed. After E_TOKEN_AUDIENCE somebody has; the token is withheld.
      if (asAppError(error).code === 'E_TOKEN_AUDIENCE') throw error;
      await callBroker(dataDir, 'removeAccount', { server: added.id }).catch(() => {});
      throw error;
    });
  },
};

/** Signs in to an entry of the status, given by its id, and prints who has signed in. Throws AppError. */
export async function signIn(server: string, context: CommandContext): Promise<ExitCode> {
  const { dataDir, options, terminal, output } = context;
  const status = await logIn({ server, browser: !options['no-browser'], dataDir, terminal });
  const entry = entryName(status.name, status.account?.name);
  output.value(
    status,
    status.identity === undefined
      ? t('cli.login.done', { entry })
      : t('cli.login.doneAs', { entry, identity: sanitizeExternalText(status.identity) }),
  );
  return exitCodes.ok;
}

export interface LoginOptions {
  /** Id of the entry in the status. */
  readonly server: string;
  /** False: only print the address. */
  readonly browser: boolean;
  readonly dataDir: string;
  readonly terminal: Terminal;
}

/**
 * Signs in and waits until the sign-in has ended. The running Keybridge opens the browser. If it cannot, this terminal
 * does, and if that fails too, the prompts show the address. Ctrl-C cancels. Throws AppError.
 */
export async function logIn({ server, browser, dataDir, terminal }: LoginOptions): Promise<ServerStatus> {
  const openBrowser = browser && hasBrowser({ env: terminal.env, platform: process.platform });
  const ended = new AbortController();
  const prompts = createLoginPrompts({ server, dataDir, terminal, openBrowser, signal: ended.signal });
  // If the watch fails, so does the sign-in, with the better error.
  watchStatus(dataDir, prompts, { signal: ended.signal }).catch(() => {});
  const stopListening = terminal.onInterrupt(() => {
    callBroker(dataDir, 'cancelSignIn', { server }).catch(() => {});
  });
  try {
    return await callBroker(dataDir, 'signIn', { server, openBrowser, canAsk: terminal.interactive });
  } finally {
    stopListening();
    ended.abort();
  }
}
