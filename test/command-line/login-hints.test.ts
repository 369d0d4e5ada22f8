import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { logIn } from '../../electron/command-line/login.ts';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct } from '../fixtures/product.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

/** Runs `keybridge login` until it has explained error pages, then interrupts it. */
async function hintFor(client: {
  readonly clientId?: string;
}): Promise<{ readonly hint: string; readonly address: string }> {
  const as = await startAuthorizationServer();
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  const product = await startProduct();
  closing.push(() => product.close());
  const { id } = await product.call('addServer', { url: mcp.url, name: 'work', ...client });
  const printed: string[] = [];
  let interrupt = () => {};
  const onInterrupt = (listener: () => void) => {
    interrupt = listener;
    return () => {};
  };
  const terminal = {
    env: {},
    stdin: new PassThrough(),
    interactive: true,
    print: () => {},
    tell: (text: string) => void printed.push(text),
    flush: async () => {},
    onInterrupt,
  };
  const done = logIn({ server: id, browser: false, dataDir: product.dataDir, terminal }).catch(
    (error: unknown) => error,
  );
  const hint = await until(() => printed.find((text) => text.startsWith('If the page shows an error')), 'the hint');
  interrupt();
  await done;
  return { hint, address: printed.find((text) => text.startsWith('Open this address')) ?? '' };
}

it('keybridge login names the redirect URI to register if the client ID was entered', async () => {
  const { hint, address } = await hintFor({ clientId: 'entered-by-hand' });
  const redirect = new URL(/^ {2}(\S+)$/m.exec(address)?.[1] ?? '').searchParams.get('redirect_uri');
  expect(hint).toContain(`\n  ${redirect}\n`);
  expect(hint).toContain('Press Ctrl-C');
  expect(hint).toContain('keybridge configure work --client-id ID');
});

it('keybridge login advises to sign in again after an error page if Keybridge registered itself', async () => {
  const { hint } = await hintFor({});
  expect(hint).toContain('Press Ctrl-C');
  expect(hint).toContain('sign in again');
  expect(hint).not.toContain('--client-id');
});
