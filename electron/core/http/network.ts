import { AppError } from '../base/errors.ts';
import type { AddressClass, Http, ServerNetwork } from './http.ts';

/** Public first: most servers are, and it reveals the least. */
const order: readonly AddressClass[] = ['public', 'private', 'loopback', 'link_local'];

/**
 * Determines the network of a server by sending a request to it: allows one class after another until one connects. A
 * separate DNS lookup would prove nothing, because the name may resolve differently the next time. `known` is the class
 * found before; a server that was public once stays public. `send` may be called several times: after
 * E_ADDRESS_REFUSED, when nothing has been sent yet, the next class is tried. Throws what `send` throws.
 */
export async function tryNetworks<Value>(
  origin: string,
  known: AddressClass | undefined,
  send: (network: ServerNetwork) => Promise<Value>,
): Promise<{ readonly network: ServerNetwork; readonly value: Value }> {
  let refused: AppError | undefined;
  for (const own of candidates(known)) {
    const network = { origin, own };
    try {
      return { network, value: await send(network) };
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

const probeTimeoutMs = 10_000;

/** Determines the network of a server by a request of its own, without credentials. Throws the errors of Http. */
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
      timeoutMs: probeTimeoutMs,
      maxBytes: 64 * 1024,
    });
    body.destroy();
  });
  return network;
}
