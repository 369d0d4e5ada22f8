// The BRIDGE PATH's first part: what an MCP host starts. Node's own modules only, and few of them: it starts with every
// host.
import './no-debugger.ts';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { dataFolder } from './local-socket/data-folder.ts';
import { bridge } from './bridge/reconnect.ts';

const usage = `Usage: keybridge connect SERVER [--account NAME] [--data-dir DIR]
Run \`keybridge status\` to see the names of your servers.`;

/** Runs a bridge on this process's own stdin and stdout, and ends the process. `args`: what stands after `connect`. */
export async function runBridge(args: readonly string[]): Promise<void> {
  const read = readBridgeArguments(args);
  if (typeof read === 'string') {
    process.stderr.write(`keybridge: ${read}\n${usage}\n`, () => process.exit(2));
    return;
  }
  const dataDir = read.dataDir === undefined ? dataFolder() : path.resolve(read.dataDir);
  process.exit(
    await bridge({ server: read.server, dataDir, ...(read.account === undefined ? {} : { account: read.account }) }),
  );
}

const options = { 'data-dir': { type: 'string' }, account: { type: 'string' }, json: { type: 'boolean' } } as const;

/** The arguments, or a sentence that says what is wrong with them. */
export function readBridgeArguments(
  args: readonly string[],
): { readonly server: string; readonly account: string | undefined; readonly dataDir: string | undefined } | string {
  // Not strict: the sentences of Node are about the program as a whole, and ours about "connect".
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const given = tokens.filter((token) => token.kind === 'option');
  const wrong = given.find(({ name, value }) => !Object.hasOwn(options, name) || (name === 'json' && value));
  if (wrong) return `"connect" has no option ${wrong.rawName.slice(0, 40)}.`;
  const valueOf = (wanted: string) => {
    const last = given.findLast(({ name }) => name === wanted);
    return last && (last.value ?? '');
  };
  const [account, dataDir] = [valueOf('account'), valueOf('data-dir')];
  const [server] = positionals;
  if (account === '') return '--account needs the name of an account.';
  if (dataDir === '') return '--data-dir needs a folder.';
  if (!server) return '"connect" needs the name of a server.';
  return positionals.length > 1 ? '"connect" takes no more than one server.' : { server, account, dataDir };
}

/**
 * `node bridge.cjs <server>`. The command line has this code in a file of another name, and calls `runBridge` itself.
 */
function isEntry(): boolean {
  try {
    return /^bridge\.(?:cjs|ts)$/.test(path.basename(fs.realpathSync(process.argv[1] ?? '')));
  } catch {
    return false;
  }
}

if (isEntry()) void runBridge(process.argv.slice(2));
