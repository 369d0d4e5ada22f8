import { defined } from '../../shared/defined.ts';
import type { ResultWriter, Terminal } from '../platform/terminal.ts';
import type { ExitCode } from './exit-codes.ts';
import type { OptionName, Options } from './options.ts';

/** One command of `keybridge`: its arguments, its help and its function. */
export interface Command {
  /** Names of the positional arguments; those in brackets are optional. */
  readonly operands: readonly string[];
  /** The options it takes besides `commonOptions`. */
  readonly options: readonly OptionName[];
  /** One line for `keybridge --help`. */
  readonly summary: string;
  /** The page of `keybridge COMMAND --help`. */
  readonly help: string;
  /** Throws AppError. */
  run(operands: readonly string[], context: CommandContext): Promise<ExitCode>;
}

export interface CommandContext {
  /** Absolute. */
  readonly dataDir: string;
  readonly options: Options;
  readonly terminal: Terminal;
  readonly output: ResultWriter;
}

/** The input of a command that is about one account. Without `--account` it is the server's default account. */
export const accountInput = (server: string, { account }: Pick<Options, 'account'>) => ({
  server,
  ...defined({ account }),
});
