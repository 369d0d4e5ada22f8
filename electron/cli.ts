// The `keybridge` command. An app starts `keybridge connect` for each server, so that loads the bridge and nothing else.
const [, , first, ...rest] = process.argv;

if (first === 'connect' && rest.length > 0 && !rest.some((arg) => arg === '--help' || arg === '-h')) void connect(rest);
else if (first === '--keychain-child') void import('./keychain.ts');
else void import('./cli-main.ts').then(async ({ main }) => process.exit(await main(process.argv.slice(2))));

/** The bridge finds its broker by the environment, which `--data-dir DIR` sets for this process. */
async function connect(args: readonly string[]): Promise<void> {
  const at = args.indexOf('--data-dir');
  const dataDir = at < 0 ? undefined : args[at + 1];
  if (dataDir !== undefined) process.env['KEYBRIDGE_DATA_DIR'] = dataDir;
  const { runBridge } = await import('./bridge.ts');
  await runBridge(dataDir === undefined ? args : args.toSpliced(at, 2));
}
