import type { Command } from './command.ts';
import { commands } from './commands.ts';

const rows = Object.entries(commands)
  .map(([name, command]) => `  ${usage(name, command).padEnd(18)} ${command.summary}`)
  .join('\n');

/** The overview that `keybridge --help` prints. */
export const overview = `Keybridge signs in to MCP servers once, for every AI app on this computer.

Usage: keybridge <command> [options]

Commands
${rows}

If a server has several accounts, --account NAME chooses one. Without it, commands use the default account.

Options
  --data-dir DIR     the data folder (or KEYBRIDGE_DATA_DIR)
  --json             print JSON: the result, or {"error": ...}
  -h, --help         help for Keybridge or for a command
  --version

Exit codes
  0 done               4 sign-in needed          8 another Keybridge is running
  1 failed             5 secrets not accessible  130 cancelled
  2 wrong arguments    6 no such server
  3 no Keybridge runs  7 server not reachable

All commands except serve and connect talk to the running Keybridge: the app, or keybridge serve.
`;

/** The command with the argument it is about. */
function usage(name: string, { operands: [first] }: Command): string {
  if (first === undefined) return name;
  return `${name} ${first.startsWith('[') ? `[<${first.slice(1, -1)}>]` : `<${first}>`}`;
}
