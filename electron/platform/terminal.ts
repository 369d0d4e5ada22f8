import type { Readable } from 'node:stream';
import type { ErrorInfo } from '../../shared/reply.ts';
import { printableJson } from '../../shared/foreign-text.ts';
import { sanitizeExternalText } from '../core/base/errors.ts';

/** What a command may touch of the process that it runs in. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable;
  /** Whether a person can answer a question here. */
  readonly interactive: boolean;
  /** stdout, for the result: what a script reads. */
  print(text: string): void;
  /** stderr, for a person. */
  tell(text: string): void;
  /**
   * Resolves when everything printed has left this process: needed before it exits, where pipes are not synchronous.
   */
  flush(): Promise<void>;
  /**
   * Calls the listener at the first Ctrl-C or SIGTERM; a second one ends the process. Returns an unsubscribe function.
   */
  onInterrupt(listener: () => void): () => void;
}

/** The process's own streams and signals. */
export function processTerminal(): Terminal {
  // `keybridge status | head -1`: the reader has gone, and that is no fault.
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

/** Says what came out, in words or as one line of JSON. */
export interface ResultWriter {
  value(value: unknown, words: string): void;
  failure(error: ErrorInfo): void;
}

export function createResultWriter(terminal: Terminal, json: boolean): ResultWriter {
  return {
    value: (value, words) => terminal.print(json ? printableJson(value) : words),
    failure(error) {
      if (json) terminal.print(printableJson({ error }));
      else terminal.tell(describeError(error));
    },
  };
}

/** Sentence, remedy, the command that carries it out, code. */
export function describeError(error: ErrorInfo): string {
  const { message, remedy, code, server, addresses } = error;
  const todo = addresses && addresses.length > 0 ? addresses.map(addressWords).join('\n') : remedy;
  const about = server === undefined || message.startsWith(`${server} `) ? '' : `${server}: `;
  return `${about}${message}\n${todo}${acceptCommand(error)}\n(${code})`;
}

/** Only characters that have no meaning in a shell. */
const plainInShell = /^[\w:/.~%@+,=?&#-]+$/;

/** Where an MCP server was found instead. */
const addressWords = (address: string): string =>
  `An MCP server answers at ${sanitizeExternalText(address, 2_000)}${plainInShell.test(address) ? `\n\n  keybridge add '${address}'\n` : ''}`;

/** The command that accepts the audience of E_TOKEN_AUDIENCE. */
function acceptCommand({ server, audience }: ErrorInfo): string {
  if (server === undefined || audience === undefined || !plainInShell.test(audience)) return '';
  return `\n\n  keybridge configure ${server} --set 'audienceException=${audience}'\n`;
}
