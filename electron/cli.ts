// The `keybridge` command. An app starts `keybridge connect` for each server, so that loads the bridge and nothing
// else.
import './no-debugger.ts';

const [, , first, ...rest] = process.argv;

if (first === 'connect' && rest.length > 0 && !rest.some((arg) => arg === '--help' || arg === '-h'))
  void import('./bridge.ts').then(({ runBridge }) => runBridge(rest));
else if (first === '--keychain-child') void import('./keychain.ts');
else void import('./cli-main.ts').then(async ({ main }) => process.exit(await main(process.argv.slice(2))));
