import { parseArgs } from 'node:util';
import type { Command } from './command.ts';
import { commands, isCommand, type CommandName } from './commands.ts';
import { commonOptions, optionTypes, type OptionName, type Options } from './options.ts';

export type Invocation =
  | {
      readonly kind: 'run';
      readonly command: CommandName;
      readonly operands: readonly string[];
      readonly options: Options;
    }
  | { readonly kind: 'help'; readonly command: CommandName | undefined }
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
    return values.help ? { kind: 'help', command: undefined } : { kind: 'usage', message: 'No command was given.' };
  if (word === 'help') return { kind: 'help', command: operands.find(isCommand) };
  if (!isCommand(word)) return { kind: 'usage', message: `There is no command "${word.slice(0, 40)}".` };
  if (values.help) return { kind: 'help', command: word };
  const problem = problemWith(word, commands[word], operands, values);
  return problem === undefined
    ? { kind: 'run', command: word, operands, options: values }
    : { kind: 'usage', message: problem };
}

const secretAsArgument = [
  'A secret cannot be an argument, because other programs can read those.',
  'Use --client-secret-file FILE or KEYBRIDGE_CLIENT_SECRET.',
].join(' ');

function parse(argv: readonly string[]): { values: Options; positionals: string[] } | string {
  if (argv.some((arg) => /^--(client-)?secret(=|$)/.test(arg))) return secretAsArgument;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: optionTypes,
      allowPositionals: true,
      strict: true,
    });
    return { values, positionals };
  } catch (error) {
    // The first sentence of Node's message names the option, not its value. The second is advice about `--`.
    return (error as Error).message.split('. ')[0]?.replace(/\.?$/, '.') ?? 'The options are not valid.';
  }
}

function problemWith(
  word: string,
  { operands: names, options }: Command,
  operands: readonly string[],
  values: Options,
): string | undefined {
  const allowed = [...commonOptions, ...options];
  const unknown = Object.keys(values).find((name) => !allowed.includes(name as OptionName));
  if (unknown !== undefined) return `"${word}" has no option --${unknown}.`;
  const missing = names.find((name, index) => !name.startsWith('[') && operands[index] === undefined);
  if (missing !== undefined) return `"${word}" needs the ${missing === 'url' ? 'address' : 'name'} of a server.`;
  if (word === 'logout' && (operands.length === 0) === !values.all)
    return '"logout" needs the name of a server, or --all.';
  if (values.account !== undefined && operands.length === 0) return '--account also needs the name of a server.';
  return operands.length > names.length ? `"${word}" takes ${countText(names.length)}.` : undefined;
}

const countText = (count: number): string =>
  count === 0 ? 'no arguments besides options' : `at most ${count} ${count === 1 ? 'argument' : 'arguments'}`;
