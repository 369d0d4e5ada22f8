/** Every option of every command. Secrets are never among them: other users can see the arguments of a process. */
export const optionTypes = {
  'data-dir': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
  store: { type: 'string' },
  'sign-in': { type: 'string' },
  'until-stdin-closes': { type: 'boolean' },
  verbose: { type: 'boolean' },
  'log-level': { type: 'string' },
  name: { type: 'string' },
  'client-id': { type: 'string' },
  'client-secret-file': { type: 'string' },
  set: { type: 'string', multiple: true },
  'secret-file': { type: 'string', multiple: true },
  'allow-missing-pkce': { type: 'boolean' },
  'refuse-missing-pkce': { type: 'boolean' },
  login: { type: 'boolean' },
  'no-browser': { type: 'boolean' },
  watch: { type: 'boolean' },
  all: { type: 'boolean' },
  account: { type: 'string' },
  'account-name': { type: 'string' },
  'default-account': { type: 'boolean' },
  algorithm: { type: 'string' },
  replace: { type: 'boolean' },
  pem: { type: 'boolean' },
} as const;

export type OptionName = keyof typeof optionTypes;

/** The options that were given, as `parseArgs` returns them. */
export type Options = {
  readonly [Name in OptionName]?: (typeof optionTypes)[Name] extends { multiple: true }
    ? string[]
    : (typeof optionTypes)[Name]['type'] extends 'string'
      ? string
      : boolean;
};

/** What every command takes. */
export const commonOptions: readonly OptionName[] = ['data-dir', 'json', 'help'];
