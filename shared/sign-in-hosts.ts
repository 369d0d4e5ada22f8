import type { EndpointHost } from './model.ts';

/** What happens at each host, the same in window, command line and errors. Only types are imported. */
const roles: Readonly<Record<EndpointHost['what'], string>> = {
  page: 'you sign in at',
  device: 'the code for your device comes from',
  token: 'the sign-in is handed to',
  issuer: 'the authorization server is',
  registration: 'Keybridge registers at',
  pushed_request: 'the request is handed to',
  userinfo: 'your profile is asked for at',
  revocation: 'sign-outs are sent to',
  introspection: 'tokens are shown to',
  exchange: 'your sign-in at the company is handed to',
};
/** What counts most comes first. */
const order = Object.keys(roles);

/**
 * What a person has to know of these hosts: the page, who gets the sign-in, and every other host by what happens there
 * first.
 */
export function hostRows(hosts: readonly EndpointHost[]): { readonly words: string; readonly host: string }[] {
  const told = new Set<string>();
  const rows: { words: string; host: string }[] = [];
  for (const { what, host } of hosts.toSorted((a, b) => order.indexOf(a.what) - order.indexOf(b.what))) {
    if (told.has(host) && what !== 'token') continue;
    told.add(host);
    rows.push({ words: roles[what], host });
  }
  return rows;
}

/** The same in words: "you sign in at login.example". */
export const hostWords = (hosts: readonly EndpointHost[]): string[] =>
  hostRows(hosts).map(({ words, host }) => `${words} ${host}`);
