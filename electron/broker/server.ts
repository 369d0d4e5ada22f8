import type { App } from '../core/app/app.ts';
import type { Clock } from '../core/base/clock.ts';
import { AppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { ensureKey } from '../local-socket/data-folder.ts';
import type { Lock } from '../local-socket/lock.ts';
import { createConnections } from './connections.ts';
import { acquireLock } from './data-folder-lock.ts';
import { announce, listenForBridges, type Listening } from './listen.ts';
import { watchSocket } from './socket-watch.ts';

export interface BrokerOptions {
  readonly app: Pick<App, 'api' | 'status' | 'connect' | 'http'>;
  /** Absolute. */
  readonly dataDir: string;
  readonly log: Log;
  readonly clock: Clock;
  /**
   * The lock of the data folder, if the caller holds it already: it should take it before it opens the app. `close`
   * releases it.
   */
  readonly lock?: Lock;
  /** Called when the data folder no longer belongs to this broker (E_DATA_FOLDER_LOST). The caller must close it. */
  readonly onLost?: (error: AppError) => void;
  /** Called when the app with a window asks to take over. Without it, the request is refused. */
  readonly onEndRequest?: () => void;
}

/** The local socket and its connections. */
export interface Broker {
  readonly address: string;
  /** Open connections, in whatever state. */
  readonly connections: number;
  /** Ends all connections and sessions within 2 s, removes the socket and releases the lock. */
  close(): Promise<void>;
}

/** Starts serving bridges and command lines. Throws E_BROKER_RUNNING, E_SOCKET_UNSAFE, E_PATH_TOO_LONG. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { dataDir } = options;
  const lock = options.lock ?? (await acquireLock(dataDir));
  if (!lock) throw new AppError('E_BROKER_RUNNING', 'Another Keybridge is running on this data folder.');
  try {
    const key = ensureKey(dataDir);
    if (key.kind === 'unsafe') throw new AppError('E_SOCKET_UNSAFE', key.message);
    return serve(options, key.key, lock, await listenForBridges(dataDir));
  } catch (error) {
    if (!options.lock) await lock.release();
    throw error;
  }
}

function serve(options: BrokerOptions, key: Buffer, lock: Lock, firstListening: Listening): Broker {
  const { app, dataDir, log, clock, onEndRequest } = options;
  const connections = createConnections({ app, key, log, clock, onEndRequest });
  let listening = firstListening;
  let closing = false;
  const acceptConnections = () => listening.server.on('connection', (socket) => connections.add(socket));
  acceptConnections();
  log('broker_started');

  const endWatch = watchSocket({
    dataDir,
    key,
    lock,
    clock,
    log,
    isOpen: () => listening.isOpen(),
    async reopen() {
      // First, because it removes the file at its path. Open connections are kept.
      listening.server.close();
      listening = await listenForBridges(dataDir);
      acceptConnections();
    },
    onLost: (error) => options.onLost?.(error),
  });

  return {
    get address() {
      return listening.address;
    },
    get connections() {
      return connections.count;
    },
    async close() {
      if (closing) return;
      closing = true;
      endWatch();
      const closed = new Promise<void>((resolve) => {
        listening.server.close(() => resolve());
      });
      await connections.closeAll();
      await closed;
      announce(dataDir, undefined);
      await lock.release();
      log('broker_stopped');
    },
  };
}
