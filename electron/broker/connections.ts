import type net from 'node:net';
import type { App } from '../core/app/app.ts';
import { within } from '../core/base/async.ts';
import type { Clock } from '../core/base/clock.ts';
import { asAppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { acceptHandshake, type Caller } from './accept-handshake.ts';
import { serveBridge } from './bridge-connection.ts';
import { serveControl } from './control.ts';
import type { Service } from './service.ts';

export interface ConnectionsDeps {
  readonly app: Pick<App, 'api' | 'status' | 'connect' | 'http'>;
  readonly key: Buffer;
  readonly log: Log;
  readonly clock: Clock;
  readonly onEndRequest: (() => void) | undefined;
}

/** The connections of one broker. */
export interface Connections {
  /** Open connections, in whatever state. */
  readonly count: number;
  /** Serves the caller on a new connection. */
  add(socket: net.Socket): void;
  /** Closes all connections and ends their sessions, within 2 s. New ones are refused from now on. */
  closeAll(): Promise<void>;
}

/** Handshakes at the same time. More callers are disconnected, and connect again. */
const maxHandshakes = 512;
const closeWithinMs = 2_000;

export function createConnections({ app, key, log, clock, onEndRequest }: ConnectionsDeps): Connections {
  const sockets = new Set<net.Socket>();
  const services = new Set<Service>();
  let handshakes = 0;
  let closing = false;

  const startService = (socket: net.Socket, { who, accept }: Caller): Service =>
    who.role === 'bridge'
      ? serveBridge(socket, accept, {
          connection: app.connect(who.server, who.account),
          http: app.http,
          log,
          clock,
          version: app.status.current().version,
        })
      : serveControl(socket, accept, { app, log, onEndRequest });

  const serve = async (socket: net.Socket) => {
    if (handshakes >= maxHandshakes || closing) return void socket.destroy();
    handshakes += 1;
    const caller = await acceptHandshake(socket, key).finally(() => {
      handshakes -= 1;
    });
    if (!caller) return log('caller_refused');
    if (socket.destroyed || closing) return void socket.destroy();
    const { who } = caller;
    try {
      const server = who.role === 'bridge' ? who.server : undefined;
      log('caller_accepted', { role: who.role, pid: who.pid, server });
      const service = startService(socket, caller);
      services.add(service);
      socket.once('close', () => void service.close().finally(() => services.delete(service)));
    } catch (error) {
      caller.refuse(asAppError(error));
    }
  };

  return {
    get count() {
      return sockets.size;
    },
    add(socket) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      void serve(socket);
    },
    async closeAll() {
      closing = true;
      const closed = Promise.all([...services].map((service) => service.close()));
      for (const socket of sockets) socket.destroy();
      await within(clock, closeWithinMs, closed);
    },
  };
}
