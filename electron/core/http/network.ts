import { AppError } from '../base/errors.ts';
import type { AddressClass, Http, ServerNetwork } from './http.ts';

/** Most servers are public, and trying that first reveals the least. */
const order: readonly AddressClass[] = ['public', 'private', 'loopback', 'link_local'];

/**
 * Finds out in which network a server lies, by a request to it: under one class after the other until one is connected
 * to, so that no look-up of its own decides, which a name could answer differently the next time. `known`: what it was
 * before; a server that was public once is public for good. `ask` may be called several times; only E_ADDRESS_REFUSED
 * leads to the next, before which nothing was sent. Throws what `ask` does.
 */
export async function tryNetworks<Value>(
  origin: string,
  known: AddressClass | undefined,
  ask: (network: ServerNetwork) => Promise<Value>,
): Promise<{ readonly network: ServerNetwork; readonly value: Value }> {
  let refused: AppError | undefined;
  for (const own of candidates(known)) {
    const network = { origin, own };
    try {
      return { network, value: await ask(network) };
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'E_ADDRESS_REFUSED') throw error;
      refused ??= error;
    }
  }
  throw (
    refused ??
    new AppError('E_ADDRESS_REFUSED', 'The server has no address that Keybridge may connect to.', { sent: false })
  );
}

function candidates(known: AddressClass | undefined): readonly AddressClass[] {
  if (known === 'public') return ['public'];
  return known === undefined ? order : [known, ...order.filter((one) => one !== known)];
}

const lookMs = 10_000;

/**
 * The same by a request that only serves for this, which sends nothing secret. Any answer will do. Throws the faults of
 * Http.
 */
export async function findNetwork(
  http: Pick<Http, 'open'>,
  url: URL,
  known: AddressClass | undefined,
): Promise<ServerNetwork> {
  if (known !== undefined) return { origin: url.origin, own: known };
  const { network } = await tryNetworks(url.origin, known, async (allow) => {
    const { body } = await http.open({
      url,
      method: 'GET',
      headers: { accept: 'application/json' },
      allow,
      timeoutMs: lookMs,
      maxBytes: 64 * 1024,
    });
    body.destroy();
  });
  return network;
}
