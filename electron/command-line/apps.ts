import type { HostSnippet } from '../../shared/model.ts';
import { callBroker } from '../broker/control-client.ts';
import { AppError, sanitizeExternalText } from '../core/base/errors.ts';
import { accountInput, type Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';

export const snippet: Command = {
  operands: ['server', '[host]'],
  options: ['account'],
  summary: "print what to add to an app's configuration",
  help: `Usage: keybridge snippet <server> [<app>] [--account NAME]

Prints what to add to the configuration of an app (claude-desktop, cursor, vscode, ...), or of every known app.
`,
  async run([server = '', host], { dataDir, options, output }) {
    const all = await callBroker(dataDir, 'hostSnippets', accountInput(server, options));
    if (host === undefined) {
      output.value(all, all.map(withPlace).join('\n\n'));
      return exitCodes.ok;
    }
    const chosen = all.filter((one) => one.host === host);
    if (chosen.length === 0) {
      const known = all.map((one) => one.host).join(', ');
      throw new AppError(
        'E_BAD_INPUT',
        `Keybridge has no snippet for "${sanitizeExternalText(host)}". It has: ${known}.`,
      );
    }
    output.value(chosen, chosen[0]?.text ?? '');
    return exitCodes.ok;
  },
};

const withPlace = ({ title, host, place, text }: HostSnippet): string => `# ${title} (${host}): ${place}\n${text}`;

/** `cli.ts` runs the bridge before it loads this table, so this is reached only if an option stands first. */
export const connect: Command = {
  operands: ['server'],
  options: ['account'],
  summary: 'what an app runs: MCP on stdin and stdout',
  help: `Usage: keybridge connect <server> [--account NAME]

Speaks MCP on stdin and stdout, for the app that starts it. Starts the Keybridge app if there is a display.
`,
  async run() {
    throw new AppError('E_BAD_INPUT', '"connect" must come first: keybridge connect SERVER [--data-dir DIR].');
  },
};
