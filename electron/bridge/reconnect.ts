import type { Readable, Writable } from 'node:stream';
import { defined } from '../../shared/defined.ts';
import { connectToBroker, type BrokerConnection } from '../local-socket/handshake.ts';
import type { Refusal } from '../local-socket/refusal.ts';
import { createSession } from './host-session.ts';
import { createAppLauncher, type AppLauncher } from './launch-app.ts';
import { createLocalResponses } from './local-responses.ts';
import {
  brokerDown,
  farewellMs,
  keepsRequest,
  nextState,
  startingAt,
  type ReconnectEvent,
  type ReconnectState,
} from './reconnect-state.ts';

export interface BridgeOptions {
  /** The name or id of a server in the list. */
  readonly server: string;
  /** Defaults to the server's default account. */
  readonly account?: string;
  /** Absolute. */
  readonly dataDir: string;
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly env?: NodeJS.ProcessEnv;
}

type Closed = Extract<ReconnectState, { kind: 'closed' }>;
type UntimedEvent = ReconnectEvent extends infer One ? (One extends unknown ? Omit<One, 'nowMs'> : never) : never;

/**
 * Connects a host on stdin and stdout to one server of the broker, for the host's life: starts the app, survives its
 * restarts, and answers every request, with an error if there is nothing better. Ends when stdin ends or nobody reads
 * stdout. reconnect-state.ts decides what to do next; this function does it.
 * Returns the exit code: 0; 2 if the server or its account is not in the list; 1 if the broker could not be reached for
 * another reason.
 */
export async function bridge(options: BridgeOptions): Promise<number> {
  const { server, account, dataDir, stdin = process.stdin, stdout = process.stdout, env = process.env } = options;
  const introduction = { role: 'bridge', server, ...defined({ account }), pid: process.pid } as const;
  const report = createReporter(server, options.stderr ?? process.stderr);
  const launcher = createAppLauncher(dataDir, env);
  const abort = new AbortController();
  let state = startingAt(performance.now());
  let delay: NodeJS.Timeout | undefined;
  let end = (_closed: Closed) => {};
  const ended = new Promise<Closed>((resolve) => {
    end = resolve;
  });

  const retry = () => dispatch({ type: 'retry' });
  const session = createSession({
    stdin,
    stdout,
    responses: createLocalResponses(server),
    retryNow() {
      const isDue = keepsRequest(state, performance.now());
      if (isDue) retry();
      return isDue;
    },
    onIdle: () => dispatch({ type: 'idle' }),
    onHostGone: () => dispatch({ type: 'host_gone' }),
  });

  function dispatch(event: UntimedEvent): void {
    const before = state.kind;
    state = nextState(state, { ...event, nowMs: performance.now() });
    if (state.kind !== before) enter(state);
  }

  function enter(entered: ReconnectState): void {
    clearTimeout(delay);
    if ('delayMs' in entered) delay = setTimeout(retry, entered.delayMs);
    if (entered.kind === 'connecting') void connect();
    if (entered.kind === 'starting') void attemptLaunch(launcher).then(dispatch);
    if (entered.kind === 'connected') launcher.release();
    if (entered.kind === 'refused') refuse(entered.refusal);
    if (entered.kind === 'closed') end(entered);
  }

  async function connect(): Promise<void> {
    const connection = await connectToBroker(dataDir, introduction, { signal: abort.signal });
    dispatch(resultOf(connection));
    if (connection.kind !== 'connected') return;
    // The host may have left meanwhile.
    if (state.kind !== 'connected') return void connection.socket.destroy();
    await session.serve(connection.socket, connection.rest);
    dispatch({ type: 'disconnected' });
  }

  function refuse(refusal: Refusal): void {
    // This bridge has given up: another one may start the app.
    if (refusal.code === 'E_BROKER_DOWN') launcher.release();
    session.refuse({ ...refusal, server });
    report(refusal);
  }

  function leave(): void {
    stdin.off('end', leave).off('close', leave);
    dispatch({ type: 'host_left', idle: session.idle });
    setTimeout(() => {
      if (state.kind === 'closed') return;
      const refusal = state.refusal ?? brokerDown(launcher.outcome);
      dispatch({ type: 'farewell_over', unsent: session.giveUp({ ...refusal, server }) });
    }, farewellMs);
  }

  stdin.once('end', leave).once('close', leave);
  enter(state);
  const { exitCode, flushMs } = await ended;
  abort.abort();
  await session.close(flushMs);
  return exitCode;
}

async function attemptLaunch(launcher: AppLauncher): Promise<UntimedEvent> {
  const result = await launcher.attempt();
  return { type: 'launch_attempted', result, hopeless: launcher.hopeless, outcome: launcher.outcome };
}

function resultOf(connection: BrokerConnection): UntimedEvent {
  switch (connection.kind) {
    case 'connected':
      return { type: 'connected' };
    case 'down':
      return { type: 'broker_down' };
    case 'refused':
      return { type: 'broker_refused', error: connection.error };
  }
}

/** Writes each refusal to stderr once, for the log of the host. */
function createReporter(server: string, stderr: Writable): (refusal: Refusal) => void {
  const reported = new Set<string>();
  return ({ code, message, remedy }) => {
    const sentence = `keybridge: ${server}: ${message} ${remedy} (${code})\n`;
    if (!reported.has(sentence)) stderr.write(sentence);
    reported.add(sentence);
  };
}
