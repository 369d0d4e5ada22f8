import {
  SigningAlgorithm,
  type Discovered,
  type HostSnippet,
  type ServerStatus,
  type SignOutReport,
  type Status,
} from '../../shared/model.ts';
import { nextStep } from '../../shared/server-state.ts';
import { stateText } from '../../shared/state-text.ts';
import { callBroker, watchStatus } from '../broker/control-client.ts';
import { AppError, asAppError, sanitizeExternalText } from '../core/base/errors.ts';
import type { CommandWord, Options } from './arguments.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { identityLines } from './identity-words.ts';
import { logIn } from './login.ts';
import { readSecretFile } from './secret-file.ts';
import { readSecrets, readSettings } from './settings.ts';
import { signOutWords, statusWords, storeWords } from './status-table.ts';
import { failureWords, type Answers, type Terminal } from '../platform/terminal.ts';

interface Context {
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
    // What Keybridge sees there counts for the server that is then added; one that is down now can be added all the
    // same.
    const seen = await callBroker(dataDir, 'discover', { url, settings }).catch((error: unknown) => asAppError(error));
    const unseen = seen instanceof AppError ? seen : undefined;
    if (unseen?.addresses) throw unseen;
    const added = await callBroker(dataDir, 'addServer', {
      url,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options['client-id'] === undefined ? {} : { clientId: options['client-id'] }),
      ...(clientSecret === undefined ? {} : { clientSecret }),
      allowMissingPkce: options['allow-missing-pkce'] ?? false,
      settings,
      secrets,
    });
    const words = `Added ${added.name}${added.title === undefined ? '' : ` (${added.title})`}: ${sanitizeExternalText(added.url, 200)}`;
    if (options.login) {
      terminal.tell(words);
      return signInAndSay(added.id, context);
    }
    if (unseen && !options.json) terminal.tell(failureWords(unseen.toInfo()));
    const idNeeded =
      !(seen instanceof AppError) && options['client-id'] === undefined && seen.registration === 'client_id_needed';
    const needless = added.state.kind === 'open' ? 'No sign-in needed. ' : '';
    answers.value(
      added,
      `${words}\n${idNeeded ? clientSteps(added.name, seen) : `${needless}${nextStepWords(added)}`}`,
    );
    return exitCodes.ok;
  },

  async configure([server = ''], context) {
    const { dataDir, options, answers } = context;
    const clientSecret = await readClientSecret(context);
    const pkce = options['allow-missing-pkce'] ? true : options['refuse-missing-pkce'] ? false : undefined;
    const clientId = options['client-id'];
    const secrets = await readSecrets(options['secret-file'] ?? []);
    const one = account(server, options);
    const settings =
      options.set === undefined
        ? undefined
        : readSettings((await callBroker(dataDir, 'serverDetail', one)).settings, options.set);
    const name = options['account-name'];
    if (name !== undefined || options['default-account']) {
      await callBroker(dataDir, 'updateAccount', {
        ...one,
        ...(name === undefined ? {} : { name }),
        ...(options['default-account'] ? { isDefault: true } : {}),
      });
    }
    const changed = await callBroker(dataDir, 'configureServer', {
      ...account(server, options, name),
      ...(clientId === undefined ? {} : { clientId: clientId === '' ? null : clientId }),
      ...(clientSecret === undefined ? {} : { clientSecret }),
      ...(pkce === undefined ? {} : { allowMissingPkce: pkce }),
      ...(settings ? { settings } : {}),
      secrets,
    });
    const atOnce = options.set?.every((one) => one.startsWith('audienceException=')) ?? false;
    answers.value(changed, `Changed ${changed.name}. It counts ${atOnce ? 'at once' : 'from the next sign-in'}.`);
    return exitCodes.ok;
  },

  async key([server = ''], { dataDir, options, terminal, answers }) {
    const { algorithm: wanted } = options;
    const algorithm = wanted === undefined ? undefined : SigningAlgorithm.safeParse(wanted).data;
    if (wanted !== undefined && !algorithm)
      throw new AppError(
        'E_BAD_INPUT',
        `There is no algorithm "${sanitizeExternalText(wanted, 40)}". There are: ${SigningAlgorithm.options.join(', ')}.`,
      );
    const made = await callBroker(dataDir, 'generateKey', {
      ...account(server, options),
      replace: options.replace ?? false,
      ...(algorithm ? { algorithm } : {}),
    });
    answers.value(made, options.pem ? made.publicPem.trimEnd() : JSON.stringify(made.publicJwk, undefined, 2));
    if (!options.json)
      terminal.tell(
        `The private key is in the keychain. Register this public key (key ID ${made.kid}) for the client ID of ${entryName(server, options.account)}.`,
      );
    return exitCodes.ok;
  },

  async check([server = ''], { dataDir, options, answers }) {
    const status = await callBroker(dataDir, 'checkServer', account(server, options));
    answers.value(
      status,
      `${entryName(status.name, status.account?.name)}: ${stateText(status, Date.now())}.\n${nextStepWords(status)}`,
    );
    return readiness(status);
  },

  async login([server = ''], context) {
    const { dataDir, options } = context;
    const { name } = await callBroker(dataDir, 'serverDetail', { server }).then(({ status }) => status);
    const known = await callBroker(dataDir, 'serverDetail', account(server, options)).catch((error: unknown) => {
      if (asAppError(error).code === 'E_ACCOUNT_UNKNOWN') return undefined;
      throw error;
    });
    if (known) return signInAndSay(known.status.id, context);
    const added = await callBroker(dataDir, 'addAccount', {
      server: name,
      ...(options.account === undefined ? {} : { name: options.account }),
    });
    return signInAndSay(added.id, context).catch(async (error: unknown) => {
      // Nobody signed in, so the account is not kept. It is kept if its token is only held back.
      if (asAppError(error).code === 'E_TOKEN_AUDIENCE') throw error;
      await callBroker(dataDir, 'removeAccount', { server: added.id }).catch(() => {});
      throw error;
    });
  },

  async status([wanted], context) {
    if (context.options.watch) return watch(wanted, context);
    const { dataDir, answers } = context;
    const status = await callBroker(dataDir, 'status', undefined);
    if (wanted === undefined) {
      answers.value(status, statusWords(status, Date.now()));
      return exitCodes.ok;
    }
    refuseSetAside(status, wanted);
    const servers = named(status.servers, wanted, context.options.account);
    const one = servers.find((server) => server.account?.isDefault) ?? servers[0];
    const identity = one ? identityLines(await callBroker(dataDir, 'serverDetail', { server: one.id })) : [];
    answers.value(
      one,
      [
        statusWords({ ...status, servers, setAside: [] }, Date.now()),
        ...(identity.length > 0 ? ['', ...identity] : []),
      ].join('\n'),
    );
    return one ? readiness(one) : exitCodes.unknownServer;
  },

  async accept([server = ''], { dataDir, answers }) {
    const status = await callBroker(dataDir, 'acceptServer', { server });
    answers.value(
      status,
      `Accepted. ${status.name} is used as its entry in servers.json says: ${sanitizeExternalText(status.url, 200)}\n${nextStepWords(status)}`,
    );
    return exitCodes.ok;
  },

  async refresh([server = ''], { dataDir, options, answers }) {
    const status = await callBroker(dataDir, 'refreshNow', account(server, options));
    answers.value(status, `${entryName(status.name, status.account?.name)}: ${stateText(status, Date.now())}.`);
    return readiness(status);
  },

  async dismiss([server = ''], { dataDir, options, answers }) {
    const status = await callBroker(dataDir, 'dismissAccess', account(server, options));
    answers.value(
      status,
      `The calls that waited for more access to ${entryName(status.name, status.account?.name)} are refused. The same is not asked again for ten minutes.`,
    );
    return exitCodes.ok;
  },

  async unlock(_operands, { dataDir, answers }) {
    const store = await callBroker(dataDir, 'unlockStore', undefined);
    answers.value(store, storeWords(store));
    return store.state === 'ready' ? exitCodes.ok : exitCodes.store;
  },

  async snippet([server = '', host], { dataDir, options, answers }) {
    const all = await callBroker(dataDir, 'hostSnippets', account(server, options));
    const chosen = host === undefined ? all : all.filter((one) => one.host === host);
    if (chosen.length === 0)
      throw new AppError(
        'E_BAD_INPUT',
        `There is no snippet for "${sanitizeExternalText(host)}". Known: ${all.map((one) => one.host).join(', ')}.`,
      );
    answers.value(chosen, host === undefined ? chosen.map(snippetWords).join('\n\n') : (chosen[0]?.text ?? ''));
    return exitCodes.ok;
  },

  async logout([server = ''], { dataDir, options, answers }) {
    if (options.all) {
      const reports = await callBroker(dataDir, 'signOutEverywhere', undefined);
      answers.value(
        reports,
        reports.map((one) => signOutWords(entryName(one.server, one.account), one.report)).join('\n') ||
          'There are no servers.',
      );
      return reports.every(({ report }) => signedOut(report)) ? exitCodes.ok : exitCodes.store;
    }
    const report = await callBroker(dataDir, 'signOut', account(server, options));
    answers.value(report, signOutWords(entryName(server, options.account), report));
    return signedOut(report) ? exitCodes.ok : exitCodes.store;
  },

  async remove([server = ''], { dataDir, options, answers }) {
    const report =
      options.account === undefined
        ? await callBroker(dataDir, 'removeServer', { server })
        : await callBroker(dataDir, 'removeAccount', account(server, options));
    const name = entryName(server, options.account);
    answers.value(report, `${signOutWords(name, report)}\nRemoved ${name}.`);
    return exitCodes.ok;
  },
};

async function signInAndSay(server: string, { dataDir, options, terminal, answers }: Context): Promise<ExitCode> {
  const status = await logIn({ server, browser: !options['no-browser'], dataDir, terminal });
  const who = status.identity === undefined ? '' : ` as ${sanitizeExternalText(status.identity)}`;
  answers.value(status, `Signed in to ${entryName(status.name, status.account?.name)}${who}.`);
  return exitCodes.ok;
}

/** Prints again after each change, until Ctrl-C. */
async function watch(wanted: string | undefined, { dataDir, options, terminal, answers }: Context): Promise<ExitCode> {
  const ended = new AbortController();
  const endInterrupt = terminal.onInterrupt(() => ended.abort());
  try {
    await watchStatus(
      dataDir,
      (status) => {
        const servers = wanted === undefined ? status.servers : named(status.servers, wanted, options.account);
        const value =
          wanted === undefined ? status : (servers.find((server) => server.account?.isDefault) ?? servers[0]);
        answers.value(value, `${statusWords({ ...status, servers }, Date.now())}\n`);
      },
      { signal: ended.signal },
    );
    return exitCodes.ok;
  } finally {
    endInterrupt();
  }
}

/** Throws the error of a server that is set aside. */
function refuseSetAside({ servers, setAside = [] }: Status, wanted: string): void {
  const aside = setAside.find(({ name, key }) => name === wanted || key === wanted);
  if (aside && !servers.some(({ name }) => name === wanted)) throw new AppError(aside.error.code, aside.error.message);
}

/** All accounts of a server, or one. */
function named(servers: readonly ServerStatus[], wanted: string, accountName: string | undefined): ServerStatus[] {
  const byName = servers.filter(({ name }) => name === wanted);
  const ofServer = byName.length > 0 ? byName : servers.filter(({ id }) => id === wanted);
  if (ofServer.length === 0)
    throw new AppError('E_SERVER_UNKNOWN', `There is no server named "${sanitizeExternalText(wanted)}".`);
  const found =
    accountName === undefined
      ? ofServer
      : ofServer.filter(({ id, account: one }) => one?.name === accountName || id.endsWith(`:${accountName}`));
  if (found.length === 0)
    throw new AppError(
      'E_ACCOUNT_UNKNOWN',
      `${sanitizeExternalText(wanted)} has no account named "${sanitizeExternalText(accountName)}".`,
    );
  return found;
}

/** What a command takes to mean one account of a server. */
const account = (server: string, options: Options, renamed?: string) => {
  const name = options.account === undefined ? undefined : (renamed ?? options.account);
  return { server, ...(name === undefined ? {} : { account: name }) };
};

const entryName = (server: string, accountName: string | undefined): string =>
  accountName === undefined ? server : `${server} (${accountName})`;

/** The steps to get a client ID, in order. */
function clientSteps(server: string, { issuer, advice, providerPage, redirectUri }: Discovered): string {
  const where = issuer === undefined ? 'its authorization server' : sanitizeExternalText(new URL(issuer).host, 100);
  return [
    'It needs a client ID:',
    `  1. Register Keybridge at ${where}. ${advice === undefined ? 'If you cannot, ask its operator.' : sanitizeExternalText(advice, 500)}${providerPage === undefined ? '' : ` ${providerPage}`}`,
    ...(redirectUri === undefined ? [] : [`  2. Give it this redirect address there: ${redirectUri}`]),
    `  3. keybridge configure ${server} --client-id ID, with --client-secret-file FILE where there is a secret`,
    `  4. keybridge login ${server}`,
  ].join('\n');
}

/** What to do next about a server, as a command. */
function nextStepWords({ name, state, account: one }: ServerStatus): string {
  const entry = one && !one.isDefault ? `${name} --account ${one.name}` : name;
  const step = nextStep(state);
  if (step === 'check') return `It has not answered yet. Ask it again: keybridge check ${entry}`;
  if (step === 'sign_in') return `Sign in: keybridge login ${entry}`;
  return `Connect an app: keybridge snippet ${entry}`;
}

/** Whether a call to this server would go through, as an exit code. */
function readiness({ state }: ServerStatus): ExitCode {
  if (state.kind === 'store_blocked') return exitCodes.store;
  if (state.kind === 'not_checked') return exitCodes.unreachable;
  return nextStep(state) === undefined || state.kind === 'retrying' || state.kind === 'signed_in'
    ? exitCodes.ok
    : exitCodes.signInNeeded;
}

const signedOut = ({ deleted, revoked }: SignOutReport): boolean => deleted || revoked === 'nothing_to_revoke';

const snippetWords = ({ title, host, place, text: snippet }: HostSnippet): string =>
  `# ${title} (${host}): ${place}\n${snippet}`;

/** From the file that the option names, else from the environment; never from an argument. */
async function readClientSecret({ options, terminal }: Context): Promise<string | undefined> {
  const file = options['client-secret-file'];
  if (file === undefined) return terminal.env['KEYBRIDGE_CLIENT_SECRET'] || undefined;
  return readSecretFile(file, 'client secret', terminal.stdin);
}
