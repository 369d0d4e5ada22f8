import { parseArgs } from 'node:util';

/** Every option of every command. Secrets are never among them: the list of processes shows arguments to everyone. */
const options = {
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

type OptionName = keyof typeof options;
export type Options = {
  readonly [Name in OptionName]?: (typeof options)[Name] extends { multiple: true }
    ? string[]
    : (typeof options)[Name]['type'] extends 'string'
      ? string
      : boolean;
};

interface CommandShape {
  /** Names of what stands without an option; those in brackets may be left out. */
  readonly operands: readonly string[];
  readonly options: readonly OptionName[];
}

const everywhere: readonly OptionName[] = ['data-dir', 'json', 'help'];

/** What each command takes. */
const commandShapes = {
  serve: { operands: [], options: ['store', 'sign-in', 'until-stdin-closes', 'verbose', 'log-level'] },
  add: {
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
  },
  configure: {
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
  },
  key: { operands: ['server'], options: ['account', 'algorithm', 'replace', 'pem'] },
  check: { operands: ['server'], options: ['account'] },
  login: { operands: ['server'], options: ['account', 'no-browser'] },
  status: { operands: ['[server]'], options: ['account', 'watch'] },
  accept: { operands: ['server'], options: [] },
  refresh: { operands: ['server'], options: ['account'] },
  dismiss: { operands: ['server'], options: ['account'] },
  unlock: { operands: [], options: [] },
  snippet: { operands: ['server', '[host]'], options: ['account'] },
  logout: { operands: ['[server]'], options: ['account', 'all'] },
  remove: { operands: ['server'], options: ['account'] },
  connect: { operands: ['server'], options: ['account'] },
} as const satisfies Record<string, CommandShape>;

export type CommandWord = keyof typeof commandShapes;

export type Invocation =
  | {
      readonly kind: 'run';
      readonly command: CommandWord;
      readonly operands: readonly string[];
      readonly options: Options;
    }
  | { readonly kind: 'help'; readonly command: CommandWord | undefined }
  | { readonly kind: 'version' }
  /** What is wrong with the arguments, in a sentence. Never the value of an option. */
  | { readonly kind: 'usage'; readonly message: string };

/** Reads the arguments after the program's name. */
export function readArguments(argv: readonly string[]): Invocation {
  const parsed = parse(argv);
  if (typeof parsed === 'string') return { kind: 'usage', message: parsed };
  const { values } = parsed;
  const [word, ...operands] = parsed.positionals;
  if (values.version) return { kind: 'version' };
  if (word === undefined)
    return values.help ? { kind: 'help', command: undefined } : { kind: 'usage', message: 'Say what to do.' };
  if (word === 'help') return { kind: 'help', command: operands.find(isCommand) };
  if (!isCommand(word)) return { kind: 'usage', message: `There is no command "${word.slice(0, 40)}".` };
  if (values.help) return { kind: 'help', command: word };
  const wrong = whatIsWrong(word, commandShapes[word], operands, values);
  return wrong === undefined
    ? { kind: 'run', command: word, operands, options: values }
    : { kind: 'usage', message: wrong };
}

const isCommand = (word: string): word is CommandWord => Object.hasOwn(commandShapes, word);

function parse(argv: readonly string[]): { values: Options; positionals: string[] } | string {
  if (argv.some((arg) => /^--(client-)?secret(=|$)/.test(arg))) {
    return 'A secret is not taken as an argument, where every program could read it: use --client-secret-file FILE or KEYBRIDGE_CLIENT_SECRET.';
  }
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    return { values, positionals };
  } catch (error) {
    // Node's sentence names the option, not its value; its second sentence is advice about `--`.
    return (error as Error).message.split('. ')[0]?.replace(/\.?$/, '.') ?? 'The options are not understood.';
  }
}

function whatIsWrong(
  word: string,
  shape: CommandShape,
  operands: readonly string[],
  values: Options,
): string | undefined {
  const allowed = [...everywhere, ...shape.options];
  const foreign = Object.keys(values).find((name) => !allowed.includes(name as OptionName));
  if (foreign !== undefined) return `"${word}" has no option --${foreign}.`;
  const missing = shape.operands.find((operand, at) => !operand.startsWith('[') && operands[at] === undefined);
  if (missing !== undefined) return `"${word}" needs the ${missing === 'url' ? 'address' : 'name'} of a server.`;
  if (word === 'logout' && (operands.length === 0) === !values.all)
    return '"logout" needs the name of a server, or --all.';
  if (values.account !== undefined && operands.length === 0) return 'Say of which server the account is.';
  return operands.length > shape.operands.length
    ? `"${word}" takes no more than ${shape.operands.join(' ') || 'options'}.`
    : undefined;
}
