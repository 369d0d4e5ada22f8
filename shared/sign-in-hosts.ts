import { signInHostMessages } from './messages/en/sign-in-hosts.ts';
import { translator } from './messages/translator.ts';
import type { EndpointHost } from './sign-in-state.ts';

const { t } = translator(signInHostMessages);

/** The most important first. */
const order: readonly EndpointHost['what'][] = [
  'page',
  'device',
  'token',
  'issuer',
  'registration',
  'pushed_request',
  'userinfo',
  'revocation',
  'introspection',
  'exchange',
];

/** Every host once, with its most important use. Hosts that receive tokens are always listed. */
export function hostRows(hosts: readonly EndpointHost[]): EndpointHost[] {
  const seen = new Set<string>();
  return hosts
    .toSorted((a, b) => order.indexOf(a.what) - order.indexOf(b.what))
    .filter(({ what, host }) => {
      const isNew = !seen.has(host);
      seen.add(host);
      return isNew || what === 'token';
    });
}

/** The label for the use of a host. */
export const hostLabel = ({ what }: EndpointHost): string => t(`hostLabel.${what}`);

/** One text per row: "you sign in at login.example". */
export const hostTexts = (hosts: readonly EndpointHost[]): string[] =>
  hostRows(hosts).map(({ what, host }) => t(`host.${what}`, { host }));
