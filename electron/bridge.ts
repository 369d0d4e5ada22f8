// The BRIDGE PATH's first part: what an MCP host starts. Node's own modules only, and few of them: it starts with every
// host.
import './no-debugger.ts';
import fs from 'node:fs';
import path from 'node:path';
import { dataFolder } from './local-socket/data-folder.ts';
import { bridge } from './bridge/reconnect.ts';

const usage =
  'Usage: keybridge connect SERVER [--account NAME] [--data-dir DIR]\nRun `keybridge status` to see the names of your servers.';

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

/** The arguments, or a sentence that says what is wrong with them. */
export function readBridgeArguments(
  args: readonly string[],
): { readonly server: string; readonly account: string | undefined; readonly dataDir: string | undefined } | string {
  const operands: string[] = [];
  let dataDir: string | undefined;
  let account: string | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--data-dir') dataDir = args[(at += 1)] ?? '';
    else if (arg.startsWith('--data-dir=')) dataDir = arg.slice('--data-dir='.length);
    else if (arg === '--account') account = args[(at += 1)] ?? '';
    else if (arg.startsWith('--account=')) account = arg.slice('--account='.length);
    else if (arg.startsWith('-') && arg !== '--json')
      return `"connect" has no option ${arg.slice(0, 40).split('=')[0]}.`;
    else if (arg !== '--json') operands.push(arg);
  }
  const [server] = operands;
  if (account === '') return '--account needs the name of an account.';
  if (dataDir === '') return '--data-dir needs a folder.';
  if (!server) return '"connect" needs the name of a server.';
  return operands.length > 1 ? '"connect" takes no more than one server.' : { server, account, dataDir };
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
