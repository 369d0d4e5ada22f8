import { describe, expect, it } from 'vitest';
import { Secret } from '../../electron/core/base/secret.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startListener } from '../fixtures/listener.ts';
import { startRelayRig } from '../fixtures/relay-rig.ts';

const closing = closeAfterEach();

/** What a host gets when the server refuses with this text. KEY in it is replaced by the token that was sent. */
async function refusedWith(
  status: number,
  words: string,
  sent: { readonly token: Secret; readonly header?: string },
): Promise<string> {
  const secret = sent.token.reveal().replace(/^Bearer /, '');
  const listener = await startListener(
    (_request, response) =>
      void response.writeHead(status, { 'content-type': 'text/plain' }).end(words.replaceAll('KEY', secret)),
  );
  closing.push(() => listener.close());
  const relay = await startRelayRig();
  closing.push(() => relay.close());
  relay.addServer('work', `${listener.origin}/mcp`, async () => ({ kind: 'token', ...sent }));
  const host = await relay.host('work');
  await host.initialize();
  await host.call('echo', { text: 'hi' });
  return [...host.lines, ...relay.log].join('\n');
}

describe('the explanation of a server that refuses a valid sign-in', () => {
  const words = 'Your key KEY is not allowed here, ask ops@example.com.';

  it.each([
    ['an access token', { token: new Secret('kb-short-token') }],
    ['a fixed key', { token: new Secret('Bearer kb-short-key'), header: 'authorization' }],
    [
      'a fixed key in several parts',
      { token: new Secret('AWS user=joe key=kb-short-key v=1'), header: 'authorization' },
    ],
    ['a fixed key in a header of its own', { token: new Secret('kb-short-key'), header: 'x-api-key' }],
  ])('LG02 reaches the user without %s that it repeats', async (_what, sent) => {
    const seen = await refusedWith(403, words, sent);
    expect(seen).toContain('Your key ... is not allowed here, ask ops@example.com.');
    expect(seen).not.toContain('kb-short');
  });
});
