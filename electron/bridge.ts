// The program that an MCP host starts: the first hop of the bridge path in ARCHITECTURE.md. It starts with every host,
// so it loads Node's own modules only, and few of them.
import './no-debugger.ts';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { dataFolder } from './local-socket/data-folder.ts';
import { bridge } from './bridge/reconnect.ts';
import { defined } from '../shared/defined.ts';

const usage = `Usage: keybridge connect SERVER [--account NAME] [--data-dir DIR]
Run \`keybridge status\` to see the names of your servers.`;

/** Runs a bridge on this process's stdin and stdout, and ends the process. `args`: what follows `connect`. */
export async function runBridge(args: readonly string[]): Promise<void> {
  const parsed = readBridgeArguments(args);
  if (typeof parsed === 'string') {
    process.stderr.write(`keybridge: ${parsed}\n${usage}\n`, () => process.exit(2));
    return;
  }
  const { server, account } = parsed;
  const dataDir = parsed.dataDir === undefined ? dataFolder() : path.resolve(parsed.dataDir);
  process.exit(await bridge({ server, dataDir, ...defined({ account }) }));
}

const options = { 'data-dir': { type: 'string' }, account: { type: 'string' }, json: { type: 'boolean' } } as const;

/** Returns the arguments, or a sentence that says what is wrong with them. */
export function readBridgeArguments(
  args: readonly string[],
): { readonly server: string; readonly account: string | undefined; readonly dataDir: string | undefined } | string {
  // Not strict: Node's messages do not name "connect".
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const given = tokens.filter((token) => token.kind === 'option');
  const unknown = given.find(({ name, value }) => !Object.hasOwn(options, name) || (name === 'json' && value));
  if (unknown) return `"connect" has no option ${unknown.rawName.slice(0, 40)}.`;
  const valueOf = (option: keyof typeof options) => {
    const last = given.findLast(({ name }) => name === option);
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
 * Whether this file is the program: `node bridge.cjs SERVER`. The command line bundles it under another name, and calls
 * `runBridge`.
 */
function isEntry(): boolean {
  try {
    return /^bridge\.(?:cjs|ts)$/.test(path.basename(fs.realpathSync(process.argv[1] ?? '')));
  } catch {
    return false;
  }
}

if (isEntry()) void runBridge(process.argv.slice(2));
