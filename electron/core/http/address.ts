import { BlockList, isIP } from 'node:net';
import type { AddressClass, AddressPolicy } from './http.ts';

type Range = readonly [address: string, prefix: number];

/** IPv4 ranges by class (RFC 6890 and its registry). Documentation, multicast and reserved ranges: `unspecified`. */
const ipv4: Readonly<Record<Exclude<AddressClass, 'public'>, readonly Range[]>> = {
  loopback: [['127.0.0.0', 8]],
  link_local: [['169.254.0.0', 16]],
  unspecified: [
    ['0.0.0.0', 8],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ],
  private: [
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    // Reserved for benchmarking, but local proxies assign addresses from it.
    ['198.18.0.0', 15],
  ],
};

const ipv6: Readonly<Record<Exclude<AddressClass, 'public'>, readonly Range[]>> = {
  loopback: [['::1', 128]],
  link_local: [['fe80::', 10]],
  private: [
    ['fc00::', 7],
    ['fec0::', 10],
    ['64:ff9b:1::', 48],
  ],
  unspecified: [
    ['::', 96],
    ['100::', 64],
    ['2001::', 32],
    ['2001:db8::', 32],
    ['ff00::', 8],
  ],
};

/** The IPv6 ranges that embed an IPv4 range: mapped, translated (NAT64, RFC 6052), 6to4 (RFC 3056). */
function embeddings([address, prefix]: Range): Range[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  return [
    [`::ffff:${hex}`, 96 + prefix],
    [`64:ff9b::${hex}`, 96 + prefix],
    [`2002:${hex}::`, 16 + prefix],
  ];
}

function blockListFor(name: Exclude<AddressClass, 'public'>): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of ipv4[name]) list.addSubnet(address, prefix, 'ipv4');
  for (const [address, prefix] of [...ipv4[name].flatMap(embeddings), ...ipv6[name]])
    list.addSubnet(address, prefix, 'ipv6');
  return list;
}

/** The order matters: `::1` is also within `::/96`, but must count as loopback. */
const lists = (['loopback', 'private', 'link_local', 'unspecified'] as const).map(
  (name) => [name, blockListFor(name)] as const,
);

/**
 * Returns the class of a literal IP address; `unspecified` for text that is not an address, so nothing connects to it.
 */
export function classifyAddress(address: string): AddressClass {
  const bare = address.split('%', 1)[0] ?? '';
  const family = isIP(bare);
  if (family === 0) return 'unspecified';
  return lists.find(([, list]) => list.check(bare, family === 4 ? 'ipv4' : 'ipv6'))?.[0] ?? 'public';
}

/** Most exposed first: a host with a public and a private address counts as public, so its private one is refused. */
const exposure: readonly AddressClass[] = ['public', 'private', 'link_local', 'loopback', 'unspecified'];

export function mostExposed(classes: readonly AddressClass[]): AddressClass {
  return exposure.find((one) => classes.includes(one)) ?? 'unspecified';
}

/** Returns the address classes that a request to this URL may connect to. */
export function allowedClasses(allow: AddressPolicy, url: URL): readonly AddressClass[] {
  if (!('own' in allow)) return allow;
  if (url.origin === allow.origin || allow.own === 'public') return [allow.own];
  return ['public', allow.own];
}

/** Returns the host of a URL, without the brackets around an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}
