import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import type { Servers } from '../../servers/servers.ts';
import { originOf } from '../../vault/binding.ts';
import type { Vault } from '../../vault/credentials.ts';
import { exchangeHosts, isConfirmed, withConfirmed } from '../authorization/endpoint-hosts.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { isCompanyId, type Company } from './company.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Server } from '../../servers/server.ts';
import type { EndpointHost, SignInHosts } from '../../../../shared/sign-in-state.ts';

/** The origin of the token endpoint in a server's settings. Undefined: the provider's own token endpoint is used. */
export function exchangeOriginOf({ settings }: Pick<Server, 'settings'>): string | undefined {
  const endpoint = settings.enterprise?.tokenEndpoint;
  return endpoint === undefined ? undefined : originOf(endpoint);
}

/**
 * A sign-in at the company is valid only for the endpoints that were known when it was made: those of the provider, and
 * the token endpoints of the servers that shared it. Returns the error for a server whose settings name another one.
 */
export function exchangeElsewhere(
  { tokenEndpoint, exchangeOrigins: known = [] }: Pick<Credential, 'tokenEndpoint' | 'exchangeOrigins'>,
  server: Server,
): AppError | undefined {
  const origin = exchangeOriginOf(server);
  if (origin === undefined || origin === originOf(tokenEndpoint) || known.includes(origin)) return undefined;
  return new AppError(
    'E_SIGN_IN_AGAIN',
    `The company sign-in does not cover ${sanitizeExternalText(origin)}, which ${server.name} now uses ` +
      'as token endpoint (setting enterprise.tokenEndpoint).',
    { sent: false },
  );
}

/** The origins for a new sign-in: those of the previous one, and those added now. */
export async function exchangeOrigins(
  vault: Pick<Vault, 'read'>,
  companyId: string,
  added: readonly string[],
): Promise<readonly string[]> {
  const read = await vault.read(companyId);
  const before = read.kind === 'found' ? (read.credential.exchangeOrigins ?? []) : [];
  return [...new Set([...before, ...added])];
}

/**
 * Binds sign-ins that an older version stored to the token endpoints in the settings at the first start. A sign-in with
 * an unfinished refresh is left for the next start. One that cannot be read now stays valid for the provider's own
 * endpoints only, until a user signs in again.
 */
export async function bindOldSignIns(
  vault: Pick<Vault, 'ids' | 'facts' | 'openJournals' | 'read' | 'write'>,
  serversOf: (companyId: string) => readonly Server[],
): Promise<void> {
  for (const id of vault.ids().filter(isCompanyId)) {
    const origins = serversOf(id).flatMap((server) => exchangeOriginOf(server) ?? []);
    if (origins.length === 0 || vault.facts(id)?.exchangeOrigins !== undefined || vault.openJournals().includes(id))
      continue;
    const read = await vault.read(id);
    if (read.kind === 'found' && read.credential.exchangeOrigins === undefined)
      await vault.write({ ...read.credential, exchangeOrigins: [...new Set(origins)] });
  }
}

/**
 * Asks the user whether the ID token may be sent to the token endpoint in this server's settings, if that is not on
 * the issuer's host. The company's sign-in page does not show it, and often needs no click. The same site is not
 * enough: a provider for many companies may give each a host there. Throws as `Attempt.confirm`.
 */
export async function confirmExchange(
  {
    servers,
    confirmed,
  }: { readonly servers: Pick<Servers, 'find' | 'update'>; readonly confirmed: readonly SignInHosts[] },
  { issuer }: Company,
  { id, settings }: Server,
  attempt: Attempt,
): Promise<void> {
  const endpoint = settings.enterprise?.tokenEndpoint;
  // An invalid URL is rejected where it would be used.
  if (
    endpoint === undefined ||
    !URL.canParse(endpoint) ||
    !URL.canParse(issuer) ||
    new URL(endpoint).hostname === new URL(issuer).hostname
  )
    return;
  const hosts = exchangeHosts(issuer, endpoint);
  if (isConfirmed(hosts, confirmed)) return;
  await attempt.confirm(hosts);
  const before = servers.find(id)?.confirmedHosts ?? [];
  const others = hostsConfirmed(before, issuer).filter(({ what }) => what !== 'exchange' && what !== 'issuer');
  await servers.update(id, { confirmedHosts: withConfirmed(before, { issuer, hosts: [...hosts.hosts, ...others] }) });
}

/** Newly confirmed hosts of the company, together with the token exchange host that was confirmed before. */
export const withExchange = (confirmed: readonly SignInHosts[], { issuer, hosts }: SignInHosts): SignInHosts => ({
  issuer,
  hosts: [...hosts, ...hostsConfirmed(confirmed, issuer).filter(isExchange)],
});

const isExchange = ({ what }: EndpointHost): boolean => what === 'exchange';
const hostsConfirmed = (confirmed: readonly SignInHosts[], issuer: string): readonly EndpointHost[] =>
  confirmed.find((one) => one.issuer === issuer)?.hosts ?? [];
