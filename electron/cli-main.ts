import path from 'node:path';
import { readArguments, type Invocation } from './command-line/arguments.ts';
import { commands } from './command-line/commands.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './command-line/exit-codes.ts';
import { overview } from './command-line/help.ts';
import { AppError, asAppError } from './core/base/errors.ts';
import { dataFolder } from './local-socket/data-folder.ts';
import { createResultWriter, processTerminal, type Terminal } from './platform/terminal.ts';
import { version } from './platform/version.ts';

/** Runs every command except `connect`. Returns the exit code. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const terminal = processTerminal();
  const code = await runInvocation(argv, terminal);
  await terminal.flush();
  return code;
}

async function runInvocation(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const invocation = readArguments(argv);
  switch (invocation.kind) {
    case 'help':
      terminal.print((invocation.command === undefined ? overview : commands[invocation.command].help).trimEnd());
      return exitCodes.ok;
    case 'version':
      terminal.print(version);
      return exitCodes.ok;
    case 'usage':
      return reportUsageError(invocation.message, argv, terminal);
    case 'run':
      return runCommand(invocation, terminal);
  }
}

function reportUsageError(message: string, argv: readonly string[], terminal: Terminal): ExitCode {
  const error = new AppError('E_BAD_INPUT', message).toInfo();
  if (argv.includes('--json')) createResultWriter(terminal, true).failure(error);
  else terminal.tell(`keybridge: ${message}\nSee: keybridge --help`);
  return exitCodes.usage;
}

async function runCommand(
  { command, operands, options }: Extract<Invocation, { kind: 'run' }>,
  terminal: Terminal,
): Promise<ExitCode> {
  const output = createResultWriter(terminal, options.json ?? false);
  const dataDir = options['data-dir'] === undefined ? dataFolder(terminal.env) : path.resolve(options['data-dir']);
  try {
    return await commands[command].run(operands, { dataDir, options, terminal, output });
  } catch (error) {
    const info = asAppError(error).toInfo();
    output.failure(info);
    return exitCodeOf(info.code);
  }
}
