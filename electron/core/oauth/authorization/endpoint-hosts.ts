import type { EndpointHost, SignInHosts } from '../../../../shared/model.ts';
import { hostTexts } from '../../../../shared/sign-in-hosts.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { sameSite } from '../../http/same-site.ts';
import { vouchedHosts } from '../providers/presets.ts';
import type { AuthorizationServer } from '../model.ts';
import type { Credential } from '../../vault/credential.ts';

/**
 * `page`: a person signs in on the page that the metadata names. `device`: on a page that the device response names
 * later. `none`: no person signs in.
 */
export type SignInMethod = 'page' | 'device' | 'none';

type Hosts = Readonly<Partial<Record<EndpointHost['what'], unknown>>>;

/** The hosts to which a sign-in by this metadata leads, or sends a code, a token or a secret. */
export function endpointHosts(metadata: AuthorizationServer, way: SignInMethod): SignInHosts {
  const { issuer } = metadata;
  return {
    issuer,
    hosts: listed({
      ...(way === 'page'
        ? { page: metadata.authorization_endpoint, pushed_request: metadata.pushed_authorization_request_endpoint }
        : {}),
      ...(way === 'device' ? { device: metadata['device_authorization_endpoint'] } : {}),
      issuer,
      token: metadata.token_endpoint,
      ...(way === 'none' ? {} : { registration: metadata.registration_endpoint, userinfo: metadata.userinfo_endpoint }),
      revocation: metadata.revocation_endpoint,
      introspection: metadata.introspection_endpoint,
    }),
  };
}

/** The same, with the page that the person opens in a sign-in by device code (RFC 8628 3.2). */
export const withDevicePage = ({ issuer, hosts }: SignInHosts, page: URL): SignInHosts => ({
  issuer,
  hosts: [{ what: 'page', host: page.host }, ...hosts],
});

/** Where a company's ID token is exchanged, if not at the endpoints that its own metadata names. */
export const exchangeHosts = (issuer: string, tokenEndpoint: string): SignInHosts => ({
  issuer,
  hosts: listed({ issuer, exchange: tokenEndpoint }),
});

/** The hosts to which what is kept of a sign-in is sent. */
export function credentialHosts({
  issuer,
  tokenEndpoint,
  revocationEndpoint,
  introspectionEndpoint,
}: Pick<Credential, 'issuer' | 'tokenEndpoint' | 'revocationEndpoint' | 'introspectionEndpoint'>): SignInHosts {
  return {
    issuer,
    hosts: listed({
      issuer,
      token: tokenEndpoint,
      revocation: revocationEndpoint,
      introspection: introspectionEndpoint,
    }),
  };
}

function listed(endpoints: Hosts): EndpointHost[] {
  return Object.entries(endpoints).flatMap(([what, url]) =>
    typeof url === 'string' && URL.canParse(url)
      ? [{ what: what as EndpointHost['what'], host: new URL(url).host }]
      : [],
  );
}

export interface Trust {
  /** Where the metadata was found: whoever answers there says what the endpoints are. */
  readonly named: string;
  /** The setting; a preset that was chosen by its name vouches for nothing, `none` switches it off. */
  readonly preset: string | undefined;
  /** What the person has confirmed for this server. */
  readonly confirmed: readonly SignInHosts[];
}

/**
 * Whether a person has to confirm the hosts of a sign-in: they do not belong to one site, the provider is not known to
 * spread over them, and the person has not confirmed exactly these. Metadata can name an honest server's page beside a
 * token endpoint of its own, and so get the code of a sign-in that looks honest (mix-up, RFC 9700 4.4).
 */
export function needsConfirmation(wanted: SignInHosts, { named, preset, confirmed }: Trust): boolean {
  const known = vouchedHosts(named, preset);
  const home = hostName(new URL(named).host);
  if (wanted.hosts.every(({ host }) => sameSite(hostName(host), home) || known(host))) return false;
  return !isConfirmed(wanted, confirmed);
}

/** Whether a person has confirmed each of these hosts for what happens there. */
export const isConfirmed = (wanted: SignInHosts, confirmed: readonly SignInHosts[]): boolean =>
  confirmed.some(
    ({ issuer, hosts }) =>
      issuer === wanted.issuer && wanted.hosts.every((one) => hosts.some((other) => isSameHost(one, other))),
  );

/**
 * What is kept of a sign-in goes to the hosts that belong together, and to those that were confirmed; not to others
 * that an older version of Keybridge, or another program, put beside it. Throws E_HOSTS_UNCONFIRMED.
 */
export function refuseUnconfirmed(
  credential: Parameters<typeof credentialHosts>[0],
  trust: Omit<Trust, 'named'>,
): void {
  const hosts = credentialHosts(credential);
  if (needsConfirmation(hosts, { ...trust, named: credential.issuer }))
    throw unconfirmed(hosts, 'Nobody has confirmed that, so nothing was sent there.');
}

/** Whether two lists say the same of the same hosts. */
export const isSameList = (one: readonly EndpointHost[], other: readonly EndpointHost[]): boolean =>
  one.length === other.length && one.every((host, index) => isSameHost(host, other[index]));

const isSameHost = (one: EndpointHost, other: EndpointHost | undefined): boolean =>
  one.what === other?.what && one.host === other.host;

/** One entry for each authorization server that the server has had, the newest last. */
export const withConfirmed = (confirmed: readonly SignInHosts[], news: SignInHosts): SignInHosts[] =>
  [...confirmed.filter(({ issuer }) => issuer !== news.issuer), news].slice(-mostConfirmed);

const mostConfirmed = 20;

/** `why`: what would happen, and why nobody was asked. */
export function unconfirmed({ hosts }: SignInHosts, why: string): AppError {
  return new AppError(
    'E_HOSTS_UNCONFIRMED',
    `The sign-in leads to hosts of different owners: ${sanitizeExternalText(hostTexts(hosts).join('; '), 200)}. ${why}`,
    { sent: false },
  );
}

const hostName = (host: string): string => new URL(`https://${host}`).hostname;
