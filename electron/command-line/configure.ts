import { defined } from '../../shared/defined.ts';
import { callBroker } from '../broker/control-client.ts';
import { AppError, sanitizeExternalText } from '../core/base/errors.ts';
import { accountInput, type Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { readClientSecret } from './secret-file.ts';
import { readSecrets, readSettings } from './settings.ts';
import { entryName, t } from './text.ts';
import { SigningAlgorithm } from '../../shared/server-settings.ts';

export const configure: Command = {
  operands: ['server'],
  options: [
    'account',
    'account-name',
    'default-account',
    'client-id',
    'client-secret-file',
    'set',
    'secret-file',
    'allow-missing-pkce',
    'refuse-missing-pkce',
  ],
  summary: 'change how Keybridge signs in to a server',
  help: `Usage: keybridge configure <server> [options]

  --account NAME         give this account a client ID and secret of its own
  --account-name NAME    rename the account
  --default-account      make it the account of apps that name none
  --client-id ID         "" removes it
  --client-secret-file F a file with the client secret; - is stdin. Or KEYBRIDGE_CLIENT_SECRET
  --set NAME=VALUE       a setting, e.g. scopes=minimal; see docs/settings.md. --set NAME= resets it
  --secret-file NAME=F   a file with a secret that a setting needs, e.g. privateKey=key.pem
  --allow-missing-pkce   sign in even if the server does not announce PKCE
  --refuse-missing-pkce  the default
`,
  async run([server = ''], { dataDir, options, terminal, output }) {
    const clientSecret = await readClientSecret(options, terminal);
    const secrets = await readSecrets(options['secret-file'] ?? []);
    const before = accountInput(server, options);
    const settings =
      options.set === undefined
        ? undefined
        : readSettings((await callBroker(dataDir, 'serverDetail', before)).settings, options.set);
    const name = options['account-name'];
    const isDefault = options['default-account'] ? true : undefined;
    if (name !== undefined || isDefault)
      await callBroker(dataDir, 'updateAccount', { ...before, ...defined({ name, isDefault }) });
    const renamed = options.account === undefined ? {} : defined({ account: name });
    const clientId = options['client-id'];
    const changed = await callBroker(dataDir, 'configureServer', {
      ...before,
      ...renamed,
      ...defined({
        clientId: clientId === '' ? null : clientId,
        clientSecret,
        allowMissingPkce: options['allow-missing-pkce'] ? true : options['refuse-missing-pkce'] ? false : undefined,
        settings,
      }),
      secrets,
    });
    const appliesNow = options.set?.every((one) => one.startsWith('audienceException=')) ?? false;
    output.value(changed, t(`cli.changed.${appliesNow ? 'now' : 'later'}`, { server: changed.name }));
    return exitCodes.ok;
  },
};

export const key: Command = {
  operands: ['server'],
  options: ['account', 'algorithm', 'replace', 'pem'],
  summary: 'create a key to use instead of a client secret',
  help: `Usage: keybridge key <server> [options]

Creates a private key in the keychain, which it never leaves, and prints the public key as a JWK, to be registered by
whoever runs the authorization server. Keybridge then uses it to authenticate its client (private_key_jwt, RFC 7523).

  --account NAME         for a client of this account only
  --algorithm NAME       ES256 (default), EdDSA, RS256 or PS256
  --pem                  print PEM instead of a JWK
  --replace              replace the key that exists
`,
  async run([server = ''], { dataDir, options, terminal, output }) {
    const algorithm = readAlgorithm(options.algorithm);
    const made = await callBroker(dataDir, 'generateKey', {
      ...accountInput(server, options),
      replace: options.replace ?? false,
      ...defined({ algorithm }),
    });
    output.value(made, options.pem ? made.publicPem.trimEnd() : JSON.stringify(made.publicJwk, undefined, 2));
    if (!options.json) terminal.tell(t('cli.keyMade', { kid: made.kid, entry: entryName(server, options.account) }));
    return exitCodes.ok;
  },
};

function readAlgorithm(name: string | undefined): (typeof SigningAlgorithm.options)[number] | undefined {
  if (name === undefined) return undefined;
  const algorithm = SigningAlgorithm.safeParse(name);
  if (algorithm.success) return algorithm.data;
  const known = SigningAlgorithm.options.join(', ');
  throw new AppError('E_BAD_INPUT', `There is no algorithm "${sanitizeExternalText(name, 40)}". Use one of: ${known}.`);
}
