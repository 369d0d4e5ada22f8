import { z } from 'zod';
import { commands, type CallInput, type CommandName, type Output } from '../../shared/api.ts';
import { createLineSplitter } from '../../shared/lines.ts';
import type { ControlRequest } from '../../shared/local-protocol.ts';
import { Status } from '../../shared/model.ts';
import { ErrorInfo } from '../../shared/reply.ts';
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
  /** Gives up waiting (E_CANCELLED). What the broker has begun goes on. */
  readonly signal?: AbortSignal;
}

/**
 * Runs one command in the Keybridge that owns the data folder, and gives its output. Waits as long as it takes (a
 * sign-in takes minutes). Throws AppError: what the command threw, or E_BROKER_DOWN, E_HANDSHAKE, E_SOCKET_UNSAFE,
 * E_VERSION.
 */
export async function callBroker<Name extends CommandName>(
  dataDir: string,
  name: Name,
  input: CallInput<Name>,
  options: CallOptions = {},
): Promise<Output<Name>> {
  return converse(dataDir, { id: 1, name, input }, options, (line, done) => {
    if (!('reply' in line)) return;
    if (!line.reply.ok) throw fromInfo(line.reply.error);
    done(commands[name].output.parse(line.reply.value) as Output<Name>);
  });
}

/**
 * Calls the listener with the current status, and with each new one, until the signal (resolves) or until the broker is
 * gone (E_BROKER_DOWN).
 */
export async function watchStatus(
  dataDir: string,
  listener: (status: Status) => void,
  options: CallOptions = {},
): Promise<void> {
  try {
    await converse(dataDir, { id: 1, watch: 'status' }, options, (line) => {
      if ('status' in line) listener(line.status);
    });
  } catch (error) {
    if (!options.signal?.aborted) throw error;
  }
}

/**
 * Asks a broker without a window to end; resolves when it has said yes. Throws E_BROKER_RUNNING when it says no,
 * E_BROKER_DOWN.
 */
export async function endBroker(dataDir: string): Promise<void> {
  await converse<void>(dataDir, { id: 1, end: true }, {}, (line, done) => {
    if (!('reply' in line)) return;
    if (!line.reply.ok) throw fromInfo(line.reply.error);
    done();
  });
}

/** One request on a connection of its own. `onLine` ends the conversation by `done` or by throwing. */
async function converse<Value>(
  dataDir: string,
  request: ControlRequest,
  { signal }: CallOptions,
  onLine: (line: Line, done: (value: Value) => void) => void,
): Promise<Value> {
  const connection = await connectToBroker(dataDir, { role: 'control', pid: process.pid }, signal ? { signal } : {});
  if (connection.kind === 'down') throw new AppError('E_BROKER_DOWN', 'Keybridge is not running.');
  if (connection.kind === 'refused') throw new AppError(connection.error.code, connection.error.message);
  const { socket, rest } = connection;
  const cancel = () => socket.destroy(new AppError('E_CANCELLED', 'The wait for an answer was cancelled.'));
  try {
    return await new Promise<Value>((resolve, reject) => {
      const lines = createLineSplitter<Buffer>({
        maxBytes: 64 * 1024 * 1024,
        concat: (pieces, bytes) => Buffer.concat(pieces, bytes),
        onTooLong: () => reject(new AppError('E_HANDSHAKE', 'Keybridge’s answer was not understood.')),
        onLine: (line) => {
          try {
            onLine(Line.parse(readJson(line.toString('utf8'))), resolve);
          } catch (error) {
            reject(
              error instanceof z.ZodError
                ? new AppError('E_HANDSHAKE', 'Keybridge’s answer was not understood.')
                : asAppError(error),
            );
          }
        },
      });
      const gone = (error?: unknown) =>
        reject(
          error instanceof AppError ? error : new AppError('E_BROKER_DOWN', 'Keybridge ended before it answered.'),
        );
      socket
        .on('data', (chunk) => lines.push(chunk))
        .once('error', gone)
        .once('close', () => gone());
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted) cancel();
      socket.write(`${JSON.stringify(request)}\n`);
      if (rest.length > 0) lines.push(rest);
      socket.resume();
    });
  } finally {
    signal?.removeEventListener('abort', cancel);
    socket.destroy();
  }
}

function fromInfo({ code, message, remedy: _ours, ...detail }: z.infer<typeof ErrorInfo>): AppError {
  const known = Object.fromEntries(Object.entries(detail).filter(([, value]) => value !== undefined));
  return new AppError(code, message, known);
}
