import { lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import { withLimit } from '../base/async.ts';
import { systemClock } from '../base/system-clock.ts';
import { dnsFault } from './faults.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Resolves a host name to all of its addresses. Rejects if there are none. */
export type Lookup = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** Without a network, a resolver can take a minute. */
const lookupTimeoutMs = 10_000;

/**
 * The system's resolver. `localhost` is always this computer, whatever a hosts file or a DNS server says (RFC 6761
 * 6.3).
 */
export const resolveHost: Lookup = (hostname) => {
  if (hostname === 'localhost')
    return Promise.resolve([
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]);
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true, verbatim: true }, (error, addresses) =>
      error ? reject(error) : resolve(addresses),
    );
  });
};

/** Returns the addresses of a host, which may be a literal IP address. Throws E_DNS, including after `timeoutMs`. */
export async function addressesOf(
  hostname: string,
  lookup: Lookup,
  timeoutMs = lookupTimeoutMs,
): Promise<readonly ResolvedAddress[]> {
  const family = isIP(hostname);
  if (family !== 0) return [{ address: hostname, family }];
  let addresses: readonly ResolvedAddress[];
  try {
    addresses = await withLimit(lookup(hostname), {
      clock: systemClock(),
      ms: timeoutMs,
      late: () => {
        throw new Error('the resolver does not respond');
      },
    });
  } catch (error) {
    throw dnsFault(hostname, error);
  }
  if (addresses.length === 0) throw dnsFault(hostname, undefined);
  return addresses;
}
