import type net from 'node:net';
import { z } from 'zod';
import type { App } from '../core/app/app.ts';
import { dispatch } from '../core/app/dispatch.ts';
import { AppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { createLineSplitter } from '../../shared/lines.ts';
import type { ControlAnswer } from '../../shared/local-protocol.ts';
import type { Status } from '../../shared/model.ts';
import { readJson } from '../../shared/json.ts';
import type { Service } from './service.ts';

export interface ControlDeps {
  readonly app: Pick<App, 'api' | 'status'>;
  readonly log: Log;
  /** Somebody asks this broker to end; absent: it does not do so on request. */
  readonly onEndRequest?: (() => void) | undefined;
}

const Request = z.union([
  z.object({ id: z.number(), watch: z.literal('status') }),
  z.object({ id: z.number(), end: z.literal(true) }),
  z.object({ id: z.number(), name: z.string().max(100), input: z.unknown().optional() }),
]);

/** Far more than any command takes. */
const maxLineBytes = 1024 * 1024;

/**
 * A command line on the socket: commands of the one table, and the status as a stream. Broken lines end the connection.
 */
export function serveControl(
  socket: net.Socket,
  accept: () => Buffer,
  { app, log, onEndRequest }: ControlDeps,
): Service {
  const watches: (() => void)[] = [];
  const end = () => socket.destroy();
  const answer = (line: ControlAnswer) => {
    if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
  };

  const handle = async (line: Buffer) => {
    const request = Request.safeParse(readJson(line.toString('utf8')));
    if (!request.success) {
      end();
      return;
    }
    const { data } = request;
    if ('watch' in data) {
      watches.push(watchStatus(data.id));
      return;
    }
    if ('end' in data) {
      answer({
        id: data.id,
        reply: onEndRequest
          ? { ok: true }
          : {
              ok: false,
              error: new AppError('E_BROKER_RUNNING', 'Keybridge runs with a window: quit it there.').toInfo(),
            },
      });
      onEndRequest?.();
      return;
    }
    log('command', { name: data.name });
    answer({ id: data.id, reply: await dispatch(app.api, data.name, data.input, log) });
  };

  /** A reader that is slow gets fewer snapshots, and always the newest. */
  const watchStatus = (id: number) => {
    let latest: Status | undefined;
    const send = () => {
      if (!latest || socket.writableNeedDrain) return;
      answer({ id, status: latest });
      latest = undefined;
    };
    socket.on('drain', send);
    return app.status.subscribe((status) => {
      latest = status;
      send();
    });
  };

  const lines = createLineSplitter<Buffer>({
    maxBytes: maxLineBytes,
    concat: (pieces, bytes) => Buffer.concat(pieces, bytes),
    onLine: (line) => void handle(line),
    onTooLong: end,
  });
  const push = (chunk: Buffer) => (lines.waiting + chunk.length > 2 * maxLineBytes ? end() : lines.push(chunk));
  socket.on('error', end);
  socket.on('data', push);
  const rest = accept();
  if (rest.length > 0) push(rest);
  socket.resume();

  return {
    async close() {
      for (const stop of watches.splice(0)) stop();
    },
  };
}
