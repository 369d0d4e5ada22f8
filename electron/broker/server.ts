import type net from 'node:net';
import type { App } from '../core/app/app.ts';
import { AppError, asAppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { serveControl } from './control.ts';
import { ensureKey } from '../local-socket/data-folder.ts';
import { watchSocket } from './socket-watch.ts';
import { acquireLock } from './data-folder-lock.ts';
import { serveBridge } from './bridge-connection.ts';
import { announce, listenForBridges, type Listening } from './listen.ts';
import { acceptHandshake } from './accept-handshake.ts';
import type { Clock } from '../core/base/clock.ts';
import type { Service } from './service.ts';
import type { Lock } from '../local-socket/lock.ts';
import { within } from '../core/base/async.ts';

export interface BrokerOptions {
  readonly app: Pick<App, 'api' | 'status' | 'connect' | 'http'>;
  /** Absolute. */
  readonly dataDir: string;
  readonly log: Log;
  readonly clock: Clock;
  /**
   * The data folder's lock, when the caller holds it already (it should, before it opens the app); let go of by
   * `close`.
   */
  readonly lock?: Lock;
  /** Called when the data folder is no longer this broker's (E_DATA_FOLDER_LOST): it is to be closed. */
  readonly onLost?: (error: AppError) => void;
  /** Called when the app with a window asks to take over. Absent: it is told to wait. */
  readonly onEndRequest?: () => void;
}

/** The local socket and everything on it. */
export interface Broker {
  readonly address: string;
  /** Connections that are open now, whatever their state. */
  readonly connections: number;
  /** Ends all connections and sessions (at most 2 s), removes the socket, lets go of the lock. */
  close(): Promise<void>;
}

/** Callers that may be in their opening at once; more are turned away, and come again. */
const mostOpenings = 512;
const farewellMs = 2_000;

/** Starts serving bridges and command lines. Throws E_BROKER_RUNNING, E_SOCKET_UNSAFE, E_PATH_TOO_LONG. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { app, dataDir, log, clock } = options;
  const lock = options.lock ?? (await acquireLock(dataDir));
  if (!lock) throw new AppError('E_BROKER_RUNNING', 'Another Keybridge is running on this data folder.');
  const sockets = new Set<net.Socket>();
  const services = new Set<Service>();
  let openings = 0;
  let closing = false;

  try {
    const key = ensureKey(dataDir);
    if (key.kind === 'unsafe') throw new AppError('E_SOCKET_UNSAFE', key.message);
    let listening = await listenForBridges(dataDir);

    const serve = async (socket: net.Socket) => {
      if (openings >= mostOpenings || closing) return void socket.destroy();
      openings += 1;
      const caller = await acceptHandshake(socket, key.key).finally(() => {
        openings -= 1;
      });
      if (!caller) return log('caller_refused');
      if (socket.destroyed || closing) return void socket.destroy();
      try {
        const { who } = caller;
        log('caller_accepted', {
          role: who.role,
          pid: who.pid,
          server: who.role === 'bridge' ? who.server : undefined,
        });
        const service =
          who.role === 'bridge'
            ? serveBridge(socket, caller.accept, {
                connection: app.connect(who.server, who.account),
                http: app.http,
                log,
                clock,
                version: app.status.current().version,
              })
            : serveControl(socket, caller.accept, { app, log, onEndRequest: options.onEndRequest });
        services.add(service);
        socket.once('close', () => void service.close().finally(() => services.delete(service)));
      } catch (error) {
        caller.refuse(asAppError(error));
      }
    };

    const admit = ({ server }: Listening) =>
      server.on('connection', (socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
        void serve(socket);
      });
    admit(listening);
    log('broker_started');

    const endWatch = watchSocket({
      dataDir,
      key: key.key,
      lock,
      clock,
      log,
      isOpen: () => listening.isOpen(),
      async reopen() {
        // Before another one is made at the same path: the end of the first removes what stands there. Who is connected
        // stays so.
        listening.server.close();
        listening = await listenForBridges(dataDir);
        admit(listening);
      },
      onLost: (error) => options.onLost?.(error),
    });

    return {
      get address() {
        return listening.address;
      },
      get connections() {
        return sockets.size;
      },
      async close() {
        if (closing) return;
        closing = true;
        endWatch();
        const closed = new Promise<void>((resolve) => {
          listening.server.close(() => resolve());
        });
        const farewells = Promise.all([...services].map((service) => service.close()));
        for (const socket of sockets) socket.destroy();
        await within(clock, farewellMs, farewells);
        await closed;
        announce(dataDir, undefined);
        await lock.release();
        log('broker_stopped');
      },
    };
  } catch (error) {
    if (!options.lock) await lock.release();
    throw error;
  }
}
