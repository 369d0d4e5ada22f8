import type { Readable } from 'node:stream';
import type { ErrorInfo } from '../../shared/reply.ts';
import { printableJson } from '../../shared/foreign-text.ts';
import { sanitizeExternalText } from '../core/base/errors.ts';

/** What a command may use of its process. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable;
  /** Whether a user can answer questions. */
  readonly interactive: boolean;
  /** Writes the result, which scripts read, to stdout. */
  print(text: string): void;
  /** Writes a message for people to stderr. */
  tell(text: string): void;
  /** Resolves when all output has left this process. Needed before it exits: writes to a pipe may be asynchronous. */
  flush(): Promise<void>;
  /**
   * Calls the listener at the first Ctrl-C or SIGTERM; a second one ends the process. Returns an unsubscribe function.
   */
  onInterrupt(listener: () => void): () => void;
}

/** The streams and signals of this process. */
export function processTerminal(): Terminal {
  // EPIPE is no error here: `keybridge status | head -1` closes the pipe early.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(process.exitCode ?? 0));
  return {
    env: process.env,
    stdin: process.stdin,
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    print: (text) => void process.stdout.write(`${text}\n`),
    tell: (text) => void process.stderr.write(`${text}\n`),
    async flush() {
      await Promise.all(
        [process.stdout, process.stderr].map(
          (stream) => new Promise<void>((resolve) => void stream.write('', () => resolve())),
        ),
      );
    },
    onInterrupt(listener) {
      process.once('SIGINT', listener).once('SIGTERM', listener);
      return () => void process.off('SIGINT', listener).off('SIGTERM', listener);
    },
  };
}

/** Writes the result of a command as text, or as one line of JSON. */
export interface ResultWriter {
  value(value: unknown, text: string): void;
  failure(error: ErrorInfo): void;
}

export function createResultWriter(terminal: Terminal, json: boolean): ResultWriter {
  return {
    value: (value, text) => terminal.print(json ? printableJson(value) : text),
    failure(error) {
      if (json) terminal.print(printableJson({ error }));
      else terminal.tell(describeError(error));
    },
  };
}

/** Message, remedy, the command for the remedy, and code, as lines of text. */
export function describeError(error: ErrorInfo): string {
  const { message, remedy, code, server, addresses } = error;
  const advice = addresses && addresses.length > 0 ? addresses.map(describeAddress).join('\n') : remedy;
  const prefix = server === undefined || message.startsWith(`${server} `) ? '' : `${server}: `;
  return `${prefix}${message}\n${advice}${acceptCommand(error)}\n(${code})`;
}

/** Characters that are safe between single quotes in a shell, and that a user can read. */
const shellSafe = /^[\w:/.~%@+,=?&#-]+$/;

/** Another address at which discovery found an MCP server. */
function describeAddress(address: string): string {
  const command = shellSafe.test(address) ? `\n\n  keybridge add '${address}'\n` : '';
  return `An MCP server answers at ${sanitizeExternalText(address, 2_000)}${command}`;
}

/** The command that accepts the token's audience after E_TOKEN_AUDIENCE. */
function acceptCommand({ server, audience }: ErrorInfo): string {
  if (server === undefined || audience === undefined || !shellSafe.test(audience)) return '';
  return `\n\n  keybridge configure ${server} --set 'audienceException=${audience}'\n`;
}
