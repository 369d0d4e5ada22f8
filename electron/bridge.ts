// What an MCP host starts, once for each server: stdio on one side, the broker's socket on the other. No packages, and
// no token ever comes here.
import path from 'node:path';
import { createPipe } from './bridge/pipe.ts';
import { findBroker } from './bridge/broker-search.ts';
import { dataFolder } from './broker/data-folder.ts';
import type { Refusal } from './broker/endpoint.ts';

const usage = 'Usage: keybridge connect SERVER\nRun `keybridge status` to see the names of your servers.\n';

/** After the host has closed stdin: for answers that are on their way, in ms. */
const farewellMs = 700;

/** Runs a bridge on this process's stdin and stdout; `args`: the server's name. Ends the process when stdin ends. */
export async function runBridge(args: readonly string[]): Promise<void> {
  const [server, ...others] = args;
  if (server === undefined || server === '' || server.startsWith('-') || others.length > 0) {
    process.stderr.write(usage);
    process.exitCode = 2;
    return;
  }
  const { stdin, stdout } = process;
  const ended = new AbortController();
  const dataDir = dataFolder();
  let trouble: Refusal | undefined;
  let wake: (() => void) | undefined;

  const pipe = createPipe({
    host: stdout,
    hold: (on) => (on ? stdin.pause() : stdin.resume()),
    onNeed: () => wake?.(),
  });

  const search = async (mayStart: boolean): Promise<void> => {
    const found = await findBroker({
      server,
      dataDir,
      env: process.env,
      mayStart,
      signal: ended.signal,
      hurry: () =>
        new Promise((resolve) => {
          wake = resolve;
        }),
      onTrouble(error) {
        trouble = error;
        process.stderr.write(`keybridge: ${error.message} ${error.remedy} [${error.code}]\n`);
        pipe.trouble(error);
      },
    });
    if (!found) return;
    trouble = undefined;
    if (ended.signal.aborted) found.socket.destroy();
    else pipe.attach(found.socket, found.rest, () => void search(false));
    ended.signal.addEventListener('abort', () => found.socket.destroy(), { once: true });
  };

  const end = () => {
    ended.abort();
    // 2: what the host's configuration says cannot work. A broker that is not there now is no such fault.
    process.exitCode = trouble && trouble.code !== 'E_BROKER_DOWN' ? 2 : 0;
    // By itself, once the last line is written; by force when the host does not read it.
    setTimeout(() => process.exit(), 250).unref();
  };
  stdout.on('error', () => process.exit(0));
  stdout.on('drain', () => pipe.hostDrained());
  stdin.on('data', (chunk: Buffer) => pipe.fromHost(chunk));
  stdin.once('error', end);
  stdin.once('end', () => {
    const limit = setTimeout(end, farewellMs);
    void pipe
      .idle()
      .then(end)
      .finally(() => clearTimeout(limit));
  });
  await search(true);
}

// As a program of its own: `node bridge.cjs SERVER`. The command line loads this file for `keybridge connect`.
if (/^bridge\.(?:cjs|mjs|js|ts)$/.test(path.basename(process.argv[1] ?? ''))) void runBridge(process.argv.slice(2));
