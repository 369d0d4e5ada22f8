import type net from 'node:net';
import { errors } from '../../shared/errors.ts';
import { connectToBroker, type Refusal } from '../broker/endpoint.ts';
import type { Lock } from '../broker/kernel-lock.ts';
import { hasDisplay, spawnApp, startCommandOf, takeStart } from './start-app.ts';

export interface SearchOptions {
  readonly server: string;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** False once there was a broker: who quits Keybridge does not want it back by itself. */
  readonly mayStart: boolean;
  /** Called once when it takes so long that the host must be told. The search goes on. */
  readonly onTrouble: (error: Refusal) => void;
  /** Gives a promise that ends the wait before the next try early. */
  readonly hurry: () => Promise<void>;
}

export interface Found {
  readonly socket: net.Socket;
  readonly rest: Buffer;
}

/** Time for the app to start, and time for somebody else to start it, in ms. */
const startMs = 10_000;
const noStartMs = 2_500;
/** Between tries once the host has been told. */
const calmMs = 1_000;
const refusedMs = 10_000;

/**
 * Connects to the broker of the data folder, and starts the app when there is none: one bridge of many does that. Goes on
 * until it succeeds (or the signal, which gives undefined).
 */
export async function findBroker(options: SearchOptions): Promise<Found | undefined> {
  const { server, dataDir, env, signal } = options;
  const begun = performance.now();
  let starter: Lock | undefined;
  let started = false;
  let cannot = options.mayStart ? undefined : 'it has ended';
  let told = false;
  let stepMs = 20;
  const tell = (error: Refusal) => {
    if (!told) options.onTrouble(error);
    told = true;
  };

  try {
    while (!signal.aborted) {
      const answer = await connectToBroker(dataDir, { role: 'bridge', server, pid: process.pid }, { signal });
      if (answer.kind === 'connected') return answer;
      if (answer.kind === 'refused' && answer.error.code !== 'E_HANDSHAKE') {
        tell(answer.error);
        await pause(refusedMs, options);
        continue;
      }
      if (answer.kind === 'down' && !started && cannot === undefined) {
        const command = startCommandOf(dataDir, env);
        if (!command) cannot = 'it is not known to this bridge where it is installed';
        else if (!hasDisplay(env)) cannot = 'there is no display to start it on. `keybridge serve` runs it without one';
        else if (starter) {
          // Looked again since the right to start was ours: nobody else has started it meanwhile.
          started = true;
          await spawnApp(command, env, (error: NodeJS.ErrnoException) => {
            cannot = `it could not be started (${error.code ?? error.message})`;
          });
        } else {
          starter = await takeStart(dataDir);
          if (starter) continue;
        }
      }
      const waited = performance.now() - begun;
      if (waited > (cannot === undefined ? startMs : noStartMs)) {
        await starter?.release();
        starter = undefined;
        tell(answer.kind === 'refused' ? answer.error : down(cannot, started));
      }
      await pause(told ? calmMs : stepMs, options);
      stepMs = Math.min(250, stepMs * 1.5);
    }
    return undefined;
  } finally {
    await starter?.release();
  }
}

function down(cannot: string | undefined, started: boolean): Refusal {
  const why = cannot === undefined ? (started ? 'it was started, and has not answered so far' : 'nobody has started it') : cannot;
  return { code: 'E_BROKER_DOWN', message: `Keybridge is not running: ${why}.`, remedy: errors.E_BROKER_DOWN };
}

async function pause(ms: number, { signal, hurry }: SearchOptions): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([over, hurry()]);
  clearTimeout(timer);
}
