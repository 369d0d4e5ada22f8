import { hostTexts } from '../../../../shared/sign-in-hosts.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { sameSite } from '../../http/same-site.ts';
import { vouchedHosts } from '../providers/presets.ts';
import type { AuthorizationServer } from '../model.ts';
import type { Credential } from '../../vault/credential.ts';
import type { EndpointHost, SignInHosts } from '../../../../shared/sign-in-state.ts';

/**
 * `page`: a user signs in at the authorization endpoint. `device`: on a page that the device authorization response
 * names. `none`: no user signs in.
 */
export type SignInMethod = 'page' | 'device' | 'none';

type Endpoints = Readonly<Partial<Record<EndpointHost['what'], unknown>>>;

/** The hosts that a sign-in with this metadata leads to, and those that it sends a code, a token or a secret to. */
export function endpointHosts(metadata: AuthorizationServer, method: SignInMethod): SignInHosts {
  const { issuer } = metadata;
  return {
    issuer,
    hosts: hostsOf({
      ...(method === 'page'
        ? { page: metadata.authorization_endpoint, pushed_request: metadata.pushed_authorization_request_endpoint }
        : {}),
      ...(method === 'device' ? { device: metadata['device_authorization_endpoint'] } : {}),
      issuer,
      token: metadata.token_endpoint,
      ...(method === 'none'
        ? {}
        : { registration: metadata.registration_endpoint, userinfo: metadata.userinfo_endpoint }),
      revocation: metadata.revocation_endpoint,
      introspection: metadata.introspection_endpoint,
    }),
  };
}

/** Adds the page that the user opens to enter the device code (RFC 8628 3.2). */
export const withDevicePage = ({ issuer, hosts }: SignInHosts, page: URL): SignInHosts => ({
  issuer,
  hosts: [{ what: 'page', host: page.host }, ...hosts],
});

/** The hosts for an exchange of a company's ID token at a token endpoint that its own metadata does not name. */
export const exchangeHosts = (issuer: string, tokenEndpoint: string): SignInHosts => ({
  issuer,
  hosts: hostsOf({ issuer, exchange: tokenEndpoint }),
});

/** The hosts that a stored credential is sent to. */
export function credentialHosts({
  issuer,
  tokenEndpoint,
  revocationEndpoint,
  introspectionEndpoint,
}: Pick<Credential, 'issuer' | 'tokenEndpoint' | 'revocationEndpoint' | 'introspectionEndpoint'>): SignInHosts {
  return {
    issuer,
    hosts: hostsOf({
      issuer,
      token: tokenEndpoint,
      revocation: revocationEndpoint,
      introspection: introspectionEndpoint,
    }),
  };
}

function hostsOf(endpoints: Endpoints): EndpointHost[] {
  return Object.entries(endpoints).flatMap(([what, url]) =>
    typeof url === 'string' && URL.canParse(url)
      ? [{ what: what as EndpointHost['what'], host: new URL(url).host }]
      : [],
  );
}

export interface Trust {
  /** The issuer URL that the metadata was found at. Whoever controls it decides on the endpoints. */
  readonly named: string;
  /** The setting. A preset that the user chose by name vouches for no hosts; `none` turns presets off. */
  readonly preset: string | undefined;
  /** What the user has already confirmed for this server. */
  readonly confirmed: readonly SignInHosts[];
}

/**
 * Whether a user has to confirm the hosts of a sign-in: they belong to more than one site, no preset vouches for
 * them, and the user has not confirmed exactly these. Without this check, metadata could combine the page of an
 * honest server with a token endpoint of its own, and receive the code of a sign-in that looks genuine (mix-up, RFC
 * 9700 4.4).
 */
export function needsConfirmation(signInHosts: SignInHosts, { named, preset, confirmed }: Trust): boolean {
  const isVouchedFor = vouchedHosts(named, preset);
  const home = hostName(new URL(named).host);
  if (signInHosts.hosts.every(({ host }) => sameSite(hostName(host), home) || isVouchedFor(host))) return false;
  return !isConfirmed(signInHosts, confirmed);
}

/** Whether the user has confirmed each of these hosts, for the same purpose. */
export const isConfirmed = (signInHosts: SignInHosts, confirmed: readonly SignInHosts[]): boolean =>
  confirmed.some(
    ({ issuer, hosts }) =>
      issuer === signInHosts.issuer && signInHosts.hosts.every((one) => hosts.some((other) => isSameHost(one, other))),
  );

/**
 * Checks that a stored credential is only sent to hosts of one site or confirmed hosts, not to any that an older
 * version of Keybridge or another program stored with it. Throws E_HOSTS_UNCONFIRMED.
 */
export function refuseUnconfirmed(
  credential: Parameters<typeof credentialHosts>[0],
  trust: Omit<Trust, 'named'>,
): void {
  const hosts = credentialHosts(credential);
  if (needsConfirmation(hosts, { ...trust, named: credential.issuer }))
    throw unconfirmed(hosts, 'Nobody confirmed these hosts, so nothing was sent to them.');
}

/** Whether both lists contain the same hosts for the same purposes, in the same order. */
export const isSameList = (one: readonly EndpointHost[], other: readonly EndpointHost[]): boolean =>
  one.length === other.length && one.every((host, index) => isSameHost(host, other[index]));

const isSameHost = (one: EndpointHost, other: EndpointHost | undefined): boolean =>
  one.what === other?.what && one.host === other.host;

/** Adds a confirmation, newest last. Replaces an earlier one for the same issuer, and drops the oldest beyond 20. */
export const withConfirmed = (confirmed: readonly SignInHosts[], added: SignInHosts): SignInHosts[] =>
  [...confirmed.filter(({ issuer }) => issuer !== added.issuer), added].slice(-maxConfirmed);

const maxConfirmed = 20;

/** `reason`: a sentence on why the hosts were not confirmed, and what did not happen therefore. */
export function unconfirmed({ hosts }: SignInHosts, reason: string): AppError {
  const list = sanitizeExternalText(hostTexts(hosts).join('; '), 200);
  return new AppError('E_HOSTS_UNCONFIRMED', `The sign-in leads to hosts with different owners: ${list}. ${reason}`, {
    sent: false,
  });
}

const hostName = (host: string): string => new URL(`https://${host}`).hostname;
