import path from 'node:path';
import { dataFolder } from './local-socket/data-folder.ts';
import { readArguments, type Invocation, type Options } from './command-line/arguments.ts';
import { remoteCommands } from './command-line/commands.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './command-line/exit-codes.ts';
import { commandHelp, overview } from './command-line/help.ts';
import { chooseStore } from './platform/store-name.ts';
import { createAnswers, processTerminal, type Terminal } from './platform/terminal.ts';
import { AppError, asAppError } from './core/base/errors.ts';
import { defaultLogLevel, isLogLevel, logLevels } from './core/base/log-events.ts';
import { version } from './platform/version.ts';

/** The command line but for `connect`. Returns the exit code. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const terminal = processTerminal();
  const code = await obey(argv, terminal);
  await terminal.flush();
  return code;
}

async function obey(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const invocation = readArguments(argv);
  switch (invocation.kind) {
    case 'help':
      terminal.print((invocation.command === undefined ? overview : commandHelp[invocation.command]).trimEnd());
      return exitCodes.ok;
    case 'version':
      terminal.print(version);
      return exitCodes.ok;
    case 'usage':
      return misused(invocation.message, argv, terminal);
    case 'run':
      return run(invocation, terminal);
  }
}

function misused(message: string, argv: readonly string[], terminal: Terminal): ExitCode {
  const error = new AppError('E_BAD_INPUT', message).toInfo();
  if (argv.includes('--json')) createAnswers(terminal, true).failure(error);
  else terminal.tell(`keybridge: ${message}\nSee: keybridge --help`);
  return exitCodes.usage;
}

async function run(
  { command, operands, options }: Extract<Invocation, { kind: 'run' }>,
  terminal: Terminal,
): Promise<ExitCode> {
  const answers = createAnswers(terminal, options.json ?? false);
  const dataDir = options['data-dir'] === undefined ? dataFolder(terminal.env) : path.resolve(options['data-dir']);
  try {
    if (command === 'connect')
      throw new AppError('E_BAD_INPUT', 'Put "connect" first: keybridge connect SERVER [--data-dir DIR].');
    if (command !== 'serve') return await remoteCommands[command](operands, { dataDir, options, terminal, answers });
    await runServe(dataDir, options, terminal);
    return exitCodes.ok;
  } catch (error) {
    const info = asAppError(error).toInfo();
    answers.failure(info);
    return exitCodeOf(info.code);
  }
}

/** The broker is loaded for this command alone: the others start faster without it. */
async function runServe(dataDir: string, options: Options, terminal: Terminal): Promise<void> {
  const signIn = options['sign-in'] ?? 'manual';
  if (signIn !== 'auto' && signIn !== 'manual') throw new AppError('E_BAD_INPUT', '--sign-in is "auto" or "manual".');
  const verbose = options.verbose ?? false;
  const logLevel = options['log-level'] ?? (verbose ? 'debug' : defaultLogLevel);
  if (!isLogLevel(logLevel)) throw new AppError('E_BAD_INPUT', `--log-level is one of ${logLevels.join(', ')}.`);
  const store = chooseStore(options.store, terminal.env);
  const { serve } = await import('./headless.ts');
  await serve({
    dataDir,
    store,
    autoSignIn: signIn === 'auto',
    verbose,
    logLevel,
    json: options.json ?? false,
    untilStdinCloses: options['until-stdin-closes'] ?? false,
    terminal,
  });
}
