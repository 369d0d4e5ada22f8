import { defined } from '../../shared/defined.ts';
import type { Discovered, ServerStatus } from '../../shared/model.ts';
import { stateText } from '../../shared/state-text.ts';
import { callBroker } from '../broker/control-client.ts';
import { AppError, asAppError, sanitizeExternalText } from '../core/base/errors.ts';
import { describeError } from '../platform/terminal.ts';
import { accountInput, type Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { signIn } from './login.ts';
import { nextStepText, readiness } from './next-step.ts';
import type { Options } from './options.ts';
import { readClientSecret } from './secret-file.ts';
import { readSecrets, readSettings } from './settings.ts';
import { signedOutLine } from './sign-ins.ts';
import { entryName, t } from './text.ts';

export const add: Command = {
  operands: ['url'],
  options: [
    'name',
    'client-id',
    'client-secret-file',
    'set',
    'secret-file',
    'allow-missing-pkce',
    'login',
    'no-browser',
  ],
  summary: 'add an MCP server',
  help: `Usage: keybridge add <url> [options]

  --name NAME            default: derived from the address
  --client-id ID         for servers that do not let apps register themselves
  --client-secret-file F a file with the client secret; - is stdin. Or KEYBRIDGE_CLIENT_SECRET
  --set NAME=VALUE       a setting, e.g. scopes=minimal; see docs/settings.md. --set NAME= resets it
  --secret-file NAME=F   a file with a secret that a setting needs, e.g. privateKey=key.pem
  --allow-missing-pkce   sign in even if the server does not announce PKCE
  --login                sign in at once
  --no-browser           with --login: print the address instead of opening it
`,
  async run([url = ''], context) {
    const { dataDir, options, terminal, output } = context;
    const clientSecret = await readClientSecret(options, terminal);
    const settings = readSettings({}, options.set ?? []);
    const secrets = await readSecrets(options['secret-file'] ?? []);
    // The broker applies what it sees here to the server that is added next. A server that is down can be added too.
    const preview = await callBroker(dataDir, 'discover', { url, settings }).catch(asAppError);
    const failure = preview instanceof AppError ? preview : undefined;
    if (failure?.addresses) throw failure;
    const added = await callBroker(dataDir, 'addServer', {
      url,
      ...defined({ name: options.name, clientId: options['client-id'], clientSecret }),
      allowMissingPkce: options['allow-missing-pkce'] ?? false,
      settings,
      secrets,
    });
    if (options.login) {
      terminal.tell(addedText(added));
      return signIn(added.id, context);
    }
    if (failure && !options.json) terminal.tell(describeError(failure.toInfo()));
    const discovered = preview instanceof AppError ? undefined : preview;
    output.value(added, `${addedText(added)}\n${stepsAfterAdd(added, discovered, options)}`);
    return exitCodes.ok;
  },
};

function addedText({ name: server, title, url }: ServerStatus): string {
  const shownUrl = sanitizeExternalText(url, 200);
  return title === undefined
    ? t('cli.added', { server, url: shownUrl })
    : t('cli.addedTitled', { server, title, url: shownUrl });
}

/** What to do next. `discovered` is undefined if the server could not be reached. */
function stepsAfterAdd(added: ServerStatus, discovered: Discovered | undefined, options: Options): string {
  if (discovered?.registration === 'client_id_needed' && options['client-id'] === undefined)
    return clientSteps(added.name, discovered);
  return added.state.kind === 'open' ? `${t('cli.next.noSignIn')} ${nextStepText(added)}` : nextStepText(added);
}

/** How to get a client ID, as numbered steps. */
function clientSteps(server: string, { issuer, advice, providerPage, redirectUri }: Discovered): string {
  const where = issuer === undefined ? t('cli.itself') : sanitizeExternalText(new URL(issuer).host, 100);
  const register = [
    t('cli.client.register', { where }),
    advice === undefined ? t('cli.client.askOperator') : sanitizeExternalText(advice, 500),
    ...(providerPage === undefined ? [] : [providerPage]),
  ].join(' ');
  const steps = [
    register,
    ...(redirectUri === undefined ? [] : [t('cli.client.redirect', { uri: redirectUri })]),
    t('cli.client.configure', { server }),
    t('cli.client.login', { server }),
  ];
  return [t('cli.client.needed'), ...steps.map((step, index) => `  ${index + 1}. ${step}`)].join('\n');
}

export const check: Command = {
  operands: ['server'],
  options: ['account'],
  summary: 'ask a server whether it requires a sign-in',
  help: `Usage: keybridge check <server> [--account NAME]

Asks the server, without a token, whether it requires a sign-in. The exit code is that of keybridge status <server>.
`,
  async run([server = ''], { dataDir, options, output }) {
    const status = await callBroker(dataDir, 'checkServer', accountInput(server, options));
    const entry = entryName(status.name, status.account?.name);
    const line = t('cli.state', { entry, state: stateText(status, Date.now()) });
    output.value(status, `${line}\n${nextStepText(status)}`);
    return readiness(status);
  },
};

export const accept: Command = {
  operands: ['server'],
  options: [],
  summary: 'accept what another program changed in servers.json',
  help: `Usage: keybridge accept <server>

Accepts a server that was set aside because a program other than Keybridge added it to servers.json or changed its
entry. A secret that you entered is still sent only where you entered it for: if the address or the issuer has
changed, enter the secret again.
`,
  async run([server = ''], { dataDir, output }) {
    const status = await callBroker(dataDir, 'acceptServer', { server });
    const line = t('cli.accepted', { server: status.name, url: sanitizeExternalText(status.url, 200) });
    output.value(status, `${line}\n${nextStepText(status)}`);
    return exitCodes.ok;
  },
};

export const remove: Command = {
  operands: ['server'],
  options: ['account'],
  summary: 'sign out and forget a server',
  help: `Usage: keybridge remove <server> [--account NAME]

Signs out of all accounts of the server, then forgets it. With --account: signs out of that account and forgets it.
`,
  async run([server = ''], { dataDir, options, output }) {
    const report =
      options.account === undefined
        ? await callBroker(dataDir, 'removeServer', { server })
        : await callBroker(dataDir, 'removeAccount', accountInput(server, options));
    const entry = entryName(server, options.account);
    output.value(report, `${signedOutLine(entry, report)}\n${t('cli.removed', { entry })}`);
    return exitCodes.ok;
  },
};
