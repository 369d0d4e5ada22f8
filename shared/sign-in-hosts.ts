import { signInHostMessages } from './messages/en/sign-in-hosts.ts';
import { translator } from './messages/translator.ts';
import type { EndpointHost } from './sign-in-state.ts';

const { t } = translator(signInHostMessages);

/** What a person has to know first. */
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

/** The sign-in page, whoever receives the sign-in, and every other host once, by the first thing that happens there. */
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

/** What happens at a host, as a label beside it. */
export const hostLabel = ({ what }: EndpointHost): string => t(`hostLabel.${what}`);

/** One text for each row: "you sign in at login.example". */
export const hostTexts = (hosts: readonly EndpointHost[]): string[] =>
  hostRows(hosts).map(({ what, host }) => t(`host.${what}`, { host }));
