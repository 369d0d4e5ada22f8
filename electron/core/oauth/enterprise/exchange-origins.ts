import type { EndpointHost, SignInHosts } from '../../../../shared/model.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import type { Servers } from '../../servers/servers.ts';
import { originOf } from '../../vault/binding.ts';
import type { Vault } from '../../vault/credentials.ts';
import { exchangeHosts, isConfirmed, withConfirmed } from '../authorization/endpoint-hosts.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { isCompanyId, type Company } from './company.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Server } from '../../servers/server.ts';

/**
 * Origin where the settings of a server have the company's ID token exchanged; undefined: at the provider's own token
 * endpoint.
 */
export function exchangeOriginOf({ settings }: Pick<Server, 'settings'>): string | undefined {
  const endpoint = settings.enterprise?.tokenEndpoint;
  return endpoint === undefined ? undefined : originOf(endpoint);
}

/**
 * A sign-in at the company is good for the endpoints that it was made for: those of the provider, and where the servers
 * that waited for it had its ID token exchanged. Returns the error for a server whose settings name another place.
 */
export function exchangeElsewhere(
  { tokenEndpoint, exchangeOrigins: known = [] }: Pick<Credential, 'tokenEndpoint' | 'exchangeOrigins'>,
  server: Server,
): AppError | undefined {
  const wanted = exchangeOriginOf(server);
  if (wanted === undefined || wanted === originOf(tokenEndpoint) || known.includes(wanted)) return undefined;
  return new AppError(
    'E_SIGN_IN_AGAIN',
    `The company sign-in does not cover ${sanitizeExternalText(wanted)}, which ${server.name} now uses ` +
      'as token endpoint (setting enterprise.tokenEndpoint).',
    { sent: false },
  );
}

/** For a new sign-in: what the one before was good for, and what is added now. */
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
 * Sign-ins that an older version stored are good for what the settings say at the first start. One whose refresh was
 * cut off waits, and one that cannot be read now is good for the provider's own endpoints until somebody signs in
 * again.
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
 * Asks the person whether the ID token may go where the settings of this server say, where that is not the host of the
 * issuer: the page of the company's sign-in shows nothing of it, and often needs no click. The same site is not enough,
 * since whoever hosts sign-ins for many companies may give each a name there. Throws as `Attempt.confirm`.
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
  // What is no address is refused where it would be used.
  if (
    endpoint === undefined ||
    !URL.canParse(endpoint) ||
    !URL.canParse(issuer) ||
    new URL(endpoint).hostname === new URL(issuer).hostname
  )
    return;
  const wanted = exchangeHosts(issuer, endpoint);
  if (isConfirmed(wanted, confirmed)) return;
  await attempt.confirm(wanted);
  const before = servers.find(id)?.confirmedHosts ?? [];
  const others = hostsConfirmed(before, issuer).filter(({ what }) => what !== 'exchange' && what !== 'issuer');
  await servers.update(id, { confirmedHosts: withConfirmed(before, { issuer, hosts: [...wanted.hosts, ...others] }) });
}

/** Another answer for the hosts of the company itself leaves this one as it was. */
export const withExchange = (confirmed: readonly SignInHosts[], { issuer, hosts }: SignInHosts): SignInHosts => ({
  issuer,
  hosts: [...hosts, ...hostsConfirmed(confirmed, issuer).filter(isExchange)],
});

const isExchange = ({ what }: EndpointHost): boolean => what === 'exchange';
const hostsConfirmed = (confirmed: readonly SignInHosts[], issuer: string): readonly EndpointHost[] =>
  confirmed.find((one) => one.issuer === issuer)?.hosts ?? [];
