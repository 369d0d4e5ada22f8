// The `keybridge` command. Apps start `keybridge connect` once per server, so that loads only the bridge.
import './no-debugger.ts';

const [, , first, ...rest] = process.argv;

if (first === 'connect' && rest.length > 0 && !rest.some((arg) => arg === '--help' || arg === '-h'))
  void import('./bridge.ts').then(({ runBridge }) => runBridge(rest));
else if (first === '--keychain-child') void import('./keychain.ts');
else void import('./cli-main.ts').then(async ({ main }) => process.exit(await main(process.argv.slice(2))));
