import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { HostSnippet, ServerStatus, SignOutReport } from '../../shared/model.ts';
import { nextStep } from '../../shared/wording.ts';
import { callBroker, watchStatus } from '../broker/control-client.ts';
import { AppError, asAppError, foreign } from '../core/errors.ts';
import type { CommandWord, Options } from './arguments.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { logIn } from './login.ts';
import { readSecrets, readSettings } from './settings.ts';
import { signOutWords, statusWords } from './status-table.ts';
import type { Answers, Terminal } from './terminal.ts';

export interface Context {
  readonly dataDir: string;
  readonly options: Options;
  readonly terminal: Terminal;
  readonly answers: Answers;
}

type Command = (operands: readonly string[], context: Context) => Promise<ExitCode>;

/** The commands that ask the Keybridge that is running. Each throws AppError. */
export const remoteCommands: Readonly<Record<Exclude<CommandWord, 'serve' | 'connect'>, Command>> = {
  async add([url = ''], context) {
    const { dataDir, options, terminal, answers } = context;
    const clientSecret = await readClientSecret(context);
    const settings = readSettings({}, options.set ?? []);
    const secrets = await readSecrets(options['secret-file'] ?? []);
    const added = await callBroker(dataDir, 'addServer', {
      url,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options['client-id'] === undefined ? {} : { clientId: options['client-id'] }),
      ...(clientSecret === undefined ? {} : { clientSecret }),
      allowMissingPkce: options['allow-missing-pkce'] ?? false,
      settings,
      secrets,
    });
    if (!options.login) answers.value(added, `Added ${added.name}: ${foreign(added.url, 200)}\nSign in: keybridge login ${added.name}`);
    if (!options.login) return exitCodes.ok;
    terminal.tell(`Added ${added.name}: ${foreign(added.url, 200)}`);
    return signInAndSay(added.name, context);
  },

  async configure([server = ''], context) {
    const { dataDir, options, answers } = context;
    const clientSecret = await readClientSecret(context);
    const pkce = options['allow-missing-pkce'] ? true : options['refuse-missing-pkce'] ? false : undefined;
    const clientId = options['client-id'];
    const secrets = await readSecrets(options['secret-file'] ?? []);
    const settings = options.set === undefined ? undefined : readSettings((await callBroker(dataDir, 'serverDetail', { server })).settings, options.set);
    const changed = await callBroker(dataDir, 'configureServer', {
      server,
      ...(clientId === undefined ? {} : { clientId: clientId === '' ? null : clientId }),
      ...(clientSecret === undefined ? {} : { clientSecret }),
      ...(pkce === undefined ? {} : { allowMissingPkce: pkce }),
      ...(settings ? { settings } : {}),
      secrets,
    });
    answers.value(changed, `Changed ${changed.name}. It counts from the next sign-in.`);
    return exitCodes.ok;
  },

  login: async ([server = ''], context) => signInAndSay(server, context),

  async status([wanted], context) {
    if (context.options.watch) return watch(wanted, context);
    const { dataDir, answers } = context;
    const status = await callBroker(dataDir, 'status', undefined);
    if (wanted === undefined) {
      answers.value(status, statusWords(status, Date.now()));
      return exitCodes.ok;
    }
    const server = named(status.servers, wanted);
    answers.value(server, statusWords({ ...status, servers: [server] }, Date.now()));
    return readiness(server);
  },

  async snippet([server = '', host], { dataDir, answers }) {
    const all = await callBroker(dataDir, 'hostSnippets', { server });
    const chosen = host === undefined ? all : all.filter((one) => one.host === host);
    if (chosen.length === 0) throw new AppError('E_BAD_INPUT', `There is no snippet for "${foreign(host)}". Known: ${all.map((one) => one.host).join(', ')}.`);
    answers.value(chosen, host === undefined ? chosen.map(snippetWords).join('\n\n') : (chosen[0]?.text ?? ''));
    return exitCodes.ok;
  },

  async logout([server = ''], { dataDir, options, answers }) {
    if (options.all) {
      const reports = await callBroker(dataDir, 'signOutEverywhere', undefined);
      answers.value(reports, reports.map((one) => signOutWords(one.server, one.report)).join('\n') || 'There are no servers.');
      return reports.every(({ report }) => signedOut(report)) ? exitCodes.ok : exitCodes.store;
    }
    const report = await callBroker(dataDir, 'signOut', { server });
    answers.value(report, signOutWords(server, report));
    return signedOut(report) ? exitCodes.ok : exitCodes.store;
  },

  async remove([server = ''], { dataDir, answers }) {
    const report = await callBroker(dataDir, 'removeServer', { server });
    answers.value(report, `${signOutWords(server, report)}\nRemoved ${server}.`);
    return exitCodes.ok;
  },
};

async function signInAndSay(server: string, { dataDir, options, terminal, answers }: Context): Promise<ExitCode> {
  const status = await logIn({ server, browser: !options['no-browser'], dataDir, terminal });
  const who = status.identity === undefined ? '' : ` as ${foreign(status.identity)}`;
  answers.value(status, `Signed in to ${status.name}${who}.`);
  return exitCodes.ok;
}

/** Prints again after each change, until Ctrl-C. */
async function watch(wanted: string | undefined, { dataDir, terminal, answers }: Context): Promise<ExitCode> {
  const ended = new AbortController();
  const endInterrupt = terminal.onInterrupt(() => ended.abort());
  try {
    await watchStatus(
      dataDir,
      (status) => {
        const servers = wanted === undefined ? status.servers : [named(status.servers, wanted)];
        const value = wanted === undefined ? status : servers[0];
        answers.value(value, `${statusWords({ ...status, servers }, Date.now())}\n`);
      },
      { signal: ended.signal },
    );
    return exitCodes.ok;
  } finally {
    endInterrupt();
  }
}

function named(servers: readonly ServerStatus[], wanted: string): ServerStatus {
  const server = servers.find(({ name }) => name === wanted) ?? servers.find(({ id }) => id === wanted);
  if (!server) throw new AppError('E_SERVER_UNKNOWN', `There is no server named "${foreign(wanted)}".`);
  return server;
}

/** Whether a call to this server would go through, as an exit code. */
function readiness({ state }: ServerStatus): ExitCode {
  if (state.kind === 'store_blocked') return exitCodes.store;
  return nextStep(state) === undefined || state.kind === 'retrying' ? exitCodes.ok : exitCodes.signInNeeded;
}

const signedOut = ({ deleted, revoked }: SignOutReport): boolean => deleted || revoked === 'nothing_to_revoke';

const snippetWords = ({ title, host, place, text: snippet }: HostSnippet): string => `# ${title} (${host}): ${place}\n${snippet}`;

/** From the file that the option names, else from the environment; never from an argument. */
async function readClientSecret({ options, terminal }: Context): Promise<string | undefined> {
  const file = options['client-secret-file'];
  if (file === undefined) return terminal.env['KEYBRIDGE_CLIENT_SECRET'] || undefined;
  try {
    const secret = (file === '-' ? await text(terminal.stdin) : await readFile(file, 'utf8')).replace(/\r?\n$/, '');
    if (secret !== '') return secret;
  } catch (error) {
    throw new AppError('E_BAD_INPUT', `The file with the client secret cannot be read: ${foreign(file, 150)}.`, { cause: asAppError(error) });
  }
  throw new AppError('E_BAD_INPUT', `The file with the client secret is empty: ${foreign(file, 150)}.`);
}
