import type { ServerStatus, Status } from '../../shared/model.ts';
import { callBroker, watchStatus } from '../broker/control-client.ts';
import { AppError, sanitizeExternalText } from '../core/base/errors.ts';
import type { Command, CommandContext } from './command.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { identityLines } from './identity-lines.ts';
import { readiness } from './next-step.ts';
import { statusText } from './status-table.ts';

export const status: Command = {
  operands: ['[server]'],
  options: ['account', 'watch'],
  summary: 'show the state of each sign-in',
  help: `Usage: keybridge status [<server>] [--account NAME] [--watch]

  --watch                print again after each change, until Ctrl-C; with --json one line each

With a server's name the exit code says whether the server (its default account) can be used: 0 yes, 4 sign in first,
5 secrets not accessible, 7 it has not answered yet.
`,
  async run([serverName], context) {
    if (context.options.watch) return watch(serverName, context);
    const { dataDir, output, options } = context;
    const current = await callBroker(dataDir, 'status', undefined);
    if (serverName === undefined) {
      output.value(current, statusText(current, Date.now()));
      return exitCodes.ok;
    }
    refuseSetAside(current, serverName);
    const servers = accountsNamed(current.servers, serverName, options.account);
    const server = defaultOf(servers);
    const identity = server ? identityLines(await callBroker(dataDir, 'serverDetail', { server: server.id })) : [];
    const table = statusText({ ...current, servers, setAside: [] }, Date.now());
    output.value(server, [table, ...(identity.length > 0 ? ['', ...identity] : [])].join('\n'));
    return server ? readiness(server) : exitCodes.unknownServer;
  },
};

/** Prints the status after each change, until Ctrl-C. */
async function watch(
  serverName: string | undefined,
  { dataDir, options, terminal, output }: CommandContext,
): Promise<ExitCode> {
  const interrupted = new AbortController();
  const stopListening = terminal.onInterrupt(() => interrupted.abort());
  try {
    await watchStatus(
      dataDir,
      (current) => {
        const servers =
          serverName === undefined ? current.servers : accountsNamed(current.servers, serverName, options.account);
        const value = serverName === undefined ? current : defaultOf(servers);
        output.value(value, `${statusText({ ...current, servers }, Date.now())}\n`);
      },
      { signal: interrupted.signal },
    );
    return exitCodes.ok;
  } finally {
    stopListening();
  }
}

/** Throws the error of a server that is set aside. */
function refuseSetAside({ servers, setAside = [] }: Status, serverName: string): void {
  const aside = setAside.find(({ name, key }) => name === serverName || key === serverName);
  if (aside && !servers.some(({ name }) => name === serverName))
    throw new AppError(aside.error.code, aside.error.message);
}

/** All accounts of a server, or one of them. Throws E_SERVER_UNKNOWN, E_ACCOUNT_UNKNOWN. */
function accountsNamed(
  servers: readonly ServerStatus[],
  serverName: string,
  accountName: string | undefined,
): ServerStatus[] {
  const byName = servers.filter(({ name }) => name === serverName);
  const accounts = byName.length > 0 ? byName : servers.filter(({ id }) => id === serverName);
  if (accounts.length === 0)
    throw new AppError('E_SERVER_UNKNOWN', `There is no server named "${sanitizeExternalText(serverName)}".`);
  if (accountName === undefined) return accounts;
  const named = accounts.filter(({ id, account }) => account?.name === accountName || id.endsWith(`:${accountName}`));
  if (named.length === 0)
    throw new AppError(
      'E_ACCOUNT_UNKNOWN',
      `${sanitizeExternalText(serverName)} has no account named "${sanitizeExternalText(accountName)}".`,
    );
  return named;
}

const defaultOf = (accounts: readonly ServerStatus[]): ServerStatus | undefined =>
  accounts.find(({ account }) => account?.isDefault) ?? accounts[0];
