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
  async run([wanted], context) {
    if (context.options.watch) return watch(wanted, context);
    const { dataDir, answers, options } = context;
    const current = await callBroker(dataDir, 'status', undefined);
    if (wanted === undefined) {
      answers.value(current, statusText(current, Date.now()));
      return exitCodes.ok;
    }
    refuseSetAside(current, wanted);
    const servers = accountsNamed(current.servers, wanted, options.account);
    const server = defaultOf(servers);
    const identity = server ? identityLines(await callBroker(dataDir, 'serverDetail', { server: server.id })) : [];
    const table = statusText({ ...current, servers, setAside: [] }, Date.now());
    answers.value(server, [table, ...(identity.length > 0 ? ['', ...identity] : [])].join('\n'));
    return server ? readiness(server) : exitCodes.unknownServer;
  },
};

/** Prints the status after each change, until Ctrl-C. */
async function watch(
  wanted: string | undefined,
  { dataDir, options, terminal, answers }: CommandContext,
): Promise<ExitCode> {
  const interrupted = new AbortController();
  const stopListening = terminal.onInterrupt(() => interrupted.abort());
  try {
    await watchStatus(
      dataDir,
      (current) => {
        const servers =
          wanted === undefined ? current.servers : accountsNamed(current.servers, wanted, options.account);
        const value = wanted === undefined ? current : defaultOf(servers);
        answers.value(value, `${statusText({ ...current, servers }, Date.now())}\n`);
      },
      { signal: interrupted.signal },
    );
    return exitCodes.ok;
  } finally {
    stopListening();
  }
}

/** Throws the error of a server that is set aside. */
function refuseSetAside({ servers, setAside = [] }: Status, wanted: string): void {
  const aside = setAside.find(({ name, key }) => name === wanted || key === wanted);
  if (aside && !servers.some(({ name }) => name === wanted)) throw new AppError(aside.error.code, aside.error.message);
}

/** All accounts of a server, or one of them. Throws E_SERVER_UNKNOWN, E_ACCOUNT_UNKNOWN. */
function accountsNamed(
  servers: readonly ServerStatus[],
  wanted: string,
  accountName: string | undefined,
): ServerStatus[] {
  const byName = servers.filter(({ name }) => name === wanted);
  const accounts = byName.length > 0 ? byName : servers.filter(({ id }) => id === wanted);
  if (accounts.length === 0)
    throw new AppError('E_SERVER_UNKNOWN', `There is no server named "${sanitizeExternalText(wanted)}".`);
  if (accountName === undefined) return accounts;
  const named = accounts.filter(({ id, account }) => account?.name === accountName || id.endsWith(`:${accountName}`));
  if (named.length === 0)
    throw new AppError(
      'E_ACCOUNT_UNKNOWN',
      `${sanitizeExternalText(wanted)} has no account named "${sanitizeExternalText(accountName)}".`,
    );
  return named;
}

const defaultOf = (accounts: readonly ServerStatus[]): ServerStatus | undefined =>
  accounts.find(({ account }) => account?.isDefault) ?? accounts[0];
