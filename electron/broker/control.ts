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
  /** Called when the app asks this broker to end. Without it, the request is refused. */
  readonly onEndRequest?: (() => void) | undefined;
}

const Request = z.union([
  z.object({ id: z.number(), watch: z.literal('status') }),
  z.object({ id: z.number(), end: z.literal(true) }),
  z.object({ id: z.number(), name: z.string().max(100), input: z.unknown().optional() }),
]);

/** Far more than any command needs. */
const maxLineBytes = 1024 * 1024;

/** Serves a command line: the commands of shared/api.ts, and the status as a stream. An invalid line disconnects it. */
export function serveControl(
  socket: net.Socket,
  accept: () => Buffer,
  { app, log, onEndRequest }: ControlDeps,
): Service {
  const unsubscribes: (() => void)[] = [];
  const end = () => socket.destroy();
  const send = (line: ControlAnswer) => {
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
      unsubscribes.push(watchStatus(data.id));
      return;
    }
    if ('end' in data) {
      send({ id: data.id, reply: onEndRequest ? { ok: true } : { ok: false, error: hasWindow().toInfo() } });
      onEndRequest?.();
      return;
    }
    log('command', { name: data.name });
    send({ id: data.id, reply: await dispatch(app.api, data.name, data.input, log) });
  };

  /** A slow reader gets fewer snapshots, and always the newest one. */
  const watchStatus = (id: number) => {
    let latest: Status | undefined;
    const sendLatest = () => {
      if (!latest || socket.writableNeedDrain) return;
      send({ id, status: latest });
      latest = undefined;
    };
    socket.on('drain', sendLatest);
    return app.status.subscribe((status) => {
      latest = status;
      sendLatest();
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
      for (const unsubscribe of unsubscribes.splice(0)) unsubscribe();
    },
  };
}

const hasWindow = (): AppError =>
  new AppError('E_BROKER_RUNNING', 'The running Keybridge has a window. Quit it there.');
