import { z } from 'zod';
import { commands, type CallInput, type CommandName, type Output } from '../../shared/api.ts';
import { createLineSplitter } from '../../shared/lines.ts';
import type { ControlRequest } from '../../shared/local-protocol.ts';
import { Status } from '../../shared/model.ts';
import { ErrorInfo } from '../../shared/reply.ts';
import { defined } from '../../shared/defined.ts';
import { readJson } from '../../shared/json.ts';
import { AppError, asAppError } from '../core/base/errors.ts';
import { connectToBroker } from '../local-socket/handshake.ts';

const Reply = z.union([
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), error: ErrorInfo }),
]);
const Line = z.union([z.object({ id: z.number(), reply: Reply }), z.object({ id: z.number(), status: Status })]);
type Line = z.infer<typeof Line>;

export interface CallOptions {
  /** Ends the wait (E_CANCELLED). The broker continues the command. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a command in the Keybridge that owns the data folder, and returns its output. Has no time limit: a sign-in takes
 * minutes. Throws AppError: that of the command, or E_BROKER_DOWN, E_HANDSHAKE, E_SOCKET_UNSAFE, E_VERSION.
 */
export async function callBroker<Name extends CommandName>(
  dataDir: string,
  name: Name,
  input: CallInput<Name>,
  options: CallOptions = {},
): Promise<Output<Name>> {
  return request(dataDir, { id: 1, name, input }, options, (line, done) => {
    if (!('reply' in line)) return;
    if (!line.reply.ok) throw fromInfo(line.reply.error);
    done(commands[name].output.parse(line.reply.value) as Output<Name>);
  });
}

/**
 * Calls the listener with the current status and with each new one. Resolves when the signal is aborted; rejects when
 * the broker ends (E_BROKER_DOWN).
 */
export async function watchStatus(
  dataDir: string,
  listener: (status: Status) => void,
  options: CallOptions = {},
): Promise<void> {
  try {
    await request(dataDir, { id: 1, watch: 'status' }, options, (line) => {
      if ('status' in line) listener(line.status);
    });
  } catch (error) {
    if (!options.signal?.aborted) throw error;
  }
}

/**
 * Asks a headless broker to exit. Resolves when it agrees. Throws E_BROKER_RUNNING if it refuses, E_BROKER_DOWN if none
 * is running.
 */
export async function endBroker(dataDir: string): Promise<void> {
  await request<void>(dataDir, { id: 1, end: true }, {}, (line, done) => {
    if (!('reply' in line)) return;
    if (!line.reply.ok) throw fromInfo(line.reply.error);
    done();
  });
}

/** Sends a request on a connection of its own. `onLine` ends it by calling `done` or by throwing. */
async function request<Value>(
  dataDir: string,
  message: ControlRequest,
  { signal }: CallOptions,
  onLine: (line: Line, done: (value: Value) => void) => void,
): Promise<Value> {
  const connection = await connectToBroker(dataDir, { role: 'control', pid: process.pid }, defined({ signal }));
  if (connection.kind === 'down') throw new AppError('E_BROKER_DOWN', 'Keybridge is not running.');
  if (connection.kind === 'refused') throw new AppError(connection.error.code, connection.error.message);
  const { socket, rest } = connection;
  const cancel = () => socket.destroy(new AppError('E_CANCELLED', 'The wait for the response was cancelled.'));
  try {
    return await new Promise<Value>((resolve, reject) => {
      const lines = createLineSplitter<Buffer>({
        maxBytes: 64 * 1024 * 1024,
        concat: (pieces, bytes) => Buffer.concat(pieces, bytes),
        onTooLong: () => reject(invalidResponse()),
        onLine: (line) => {
          try {
            onLine(Line.parse(readJson(line.toString('utf8'))), resolve);
          } catch (error) {
            reject(error instanceof z.ZodError ? invalidResponse() : asAppError(error));
          }
        },
      });
      const onClosed = (error?: unknown) =>
        reject(
          error instanceof AppError ? error : new AppError('E_BROKER_DOWN', 'Keybridge ended before it responded.'),
        );
      socket
        .on('data', (chunk) => lines.push(chunk))
        .once('error', onClosed)
        .once('close', () => onClosed());
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted) cancel();
      socket.write(`${JSON.stringify(message)}\n`);
      if (rest.length > 0) lines.push(rest);
      socket.resume();
    });
  } finally {
    signal?.removeEventListener('abort', cancel);
    socket.destroy();
  }
}

const invalidResponse = (): AppError => new AppError('E_HANDSHAKE', 'Keybridge sent an invalid response.');

/** The remedy follows from the code. */
const fromInfo = ({ code, message, remedy: _remedy, ...detail }: z.infer<typeof ErrorInfo>): AppError =>
  new AppError(code, message, defined(detail));
