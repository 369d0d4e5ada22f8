import type { Readable, Writable } from 'node:stream';
import { connectToBroker, type BrokerConnection } from '../local-socket/handshake.ts';
import { createAnswers } from './local-responses.ts';
import { createSession } from './host-session.ts';
import { createAppLauncher } from './launch-app.ts';
import type { LineError } from '../../shared/json-rpc.ts';

export interface BridgeOptions {
  /** The name or id of a server in the list. */
  readonly server: string;
  /** Absent: the server's default account. */
  readonly account?: string;
  /** Absolute. */
  readonly dataDir: string;
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly env?: NodeJS.ProcessEnv;
}

/** Without a broker the host waits this long for its answers: while one may come, and when nobody starts one. */
const patienceMs = 10_000;
const hopelessMs = 4_000;
const startPauseMs = 100;
const returnPauseMs = 250;
/** Between looks after that: first, and at most. A host must have a returning app within 5 s. */
const slowPauseMs = 1_000;
const slowestPauseMs = 4_000;
/** A host that asks again and again does not make the bridge look each time. */
const calmMs = 250;
/** From the end of stdin until what is still asked is given up, and until the end, whatever the host reads. */
const farewellMs = 800;
const lastMs = 950;
const flushMs = 150;

/**
 * Connects a host on stdin and stdout to one server of the broker, for the host's life: starts the app, outlives it,
 * and answers every request, with an error where there is nothing better. Ends when stdin does, or nobody reads stdout.
 * Returns the exit code: 0; 2 when the server or its account is not in the list; 1 when there was no way to a broker
 * for another reason.
 */
export async function bridge(options: BridgeOptions): Promise<number> {
  const { server, account, dataDir, stdin = process.stdin, stdout = process.stdout, env = process.env } = options;
  const ended = new AbortController();
  const answers = createAnswers(server);
  const starter = createAppLauncher(dataDir, env);
  const told = new Set<string>();
  let leftAt: number | undefined;
  let returning = false;
  let refusal: LineError | undefined;
  let handshakes = 0;
  let looking = false;
  let lookedAt = 0;
  let wake = () => {};
  let finish = (_code: number) => {};
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const exitCode = () =>
    refusal === undefined ? 0 : refusal.code === 'E_SERVER_UNKNOWN' || refusal.code === 'E_ACCOUNT_UNKNOWN' ? 2 : 1;

  const session = createSession({
    stdin,
    stdout,
    answers,
    lookAgain() {
      if (!looking && performance.now() - lookedAt < calmMs) return false;
      wake();
      return true;
    },
    onIdle: () => {
      if (leftAt !== undefined) finish(exitCode());
    },
    onHostGone: () => finish(0),
  });

  async function look(): Promise<BrokerConnection> {
    looking = true;
    const found = await connectToBroker(
      dataDir,
      { role: 'bridge', server, ...(account === undefined ? {} : { account }), pid: process.pid },
      { signal: ended.signal },
    );
    looking = false;
    lookedAt = performance.now();
    return found;
  }

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** What the host has to be told; undefined while there is hope. */
  function whyNot(found: Exclude<BrokerConnection, { kind: 'connected' }>, waitedMs: number): LineError | undefined {
    if (found.kind === 'refused') {
      const { code, message, remedy } = found.error;
      handshakes += code === 'E_HANDSHAKE' ? 1 : 0;
      // A machine under load may not answer in time once.
      return code === 'E_HANDSHAKE' && handshakes < 2 ? undefined : answers.error(code, message, remedy);
    }
    if (refusal === undefined && waitedMs < (starter.hopeless && !returning ? hopelessMs : patienceMs))
      return undefined;
    starter.release();
    return answers.error('E_BROKER_DOWN', returning ? 'Keybridge is not running any more.' : starter.outcome);
  }

  function refuse(error: LineError): void {
    refusal = error;
    session.refuse(error);
    const sentence = `keybridge: ${server}: ${error.message} ${error.remedy} (${error.code})\n`;
    if (!told.has(sentence)) (options.stderr ?? process.stderr).write(sentence);
    told.add(sentence);
  }

  /** One connection after the other. */
  async function stayConnected(): Promise<void> {
    let since = performance.now();
    let refused = 0;
    while (!ended.signal.aborted) {
      const found = await look();
      if (found.kind === 'connected') {
        starter.release();
        refusal = undefined;
        returning = true;
        refused = handshakes = 0;
        await session.serve(found.socket, found.rest);
        since = performance.now();
        continue;
      }
      if (ended.signal.aborted) return;
      if (found.kind === 'down' && !returning && (await starter.attempt()) === 'look_again') continue;
      const error = whyNot(found, performance.now() - since);
      if (error) refuse(error);
      refused += error ? 1 : 0;
      await pause(error ? Math.min(slowestPauseMs, slowPauseMs * refused) : returning ? returnPauseMs : startPauseMs);
    }
  }

  function leave(): void {
    if (leftAt !== undefined) return;
    leftAt = performance.now();
    if (session.idle) return finish(exitCode());
    setTimeout(() => {
      const refusedNow = session.giveUp(refusal ?? answers.error('E_BROKER_DOWN', starter.outcome));
      finish(refusedNow > 0 && refusal === undefined ? 1 : exitCode());
    }, farewellMs);
  }

  stdin.once('end', leave).once('close', leave);
  void stayConnected();
  const code = await finished;
  ended.abort();
  await session.close(leftAt === undefined ? flushMs : Math.max(flushMs, leftAt + lastMs - performance.now()));
  return code;
}
