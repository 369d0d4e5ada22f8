import { defined } from '../../../shared/defined.ts';
import { AppError } from '../base/errors.ts';
import { originOf, type Binding } from '../vault/binding.ts';
import type { Server } from './server.ts';
import type { SecretName, ServerSettings } from '../../../shared/server-settings.ts';

/** Sent to the company's identity provider, wherever the MCP server is. */
const companySecrets = new Set<SecretName>(['enterpriseClientSecret', 'enterpriseIdToken']);
/** Sent to one authorization server. */
const issuerSecrets = new Set<SecretName>(['clientSecret', 'privateKey', 'assertion']);

/**
 * Returns the binding of a secret that the user enters now, as far as the settings determine it. The issuer of the
 * server is added at the first use.
 */
export function bindingAtEntry({ url, settings }: Pick<Server, 'url' | 'settings'>, name: SecretName): Binding {
  if (!companySecrets.has(name)) return { server: originOf(url) };
  const { enterprise } = settings;
  return enterprise
    ? { issuer: enterprise.issuer, endpoint: originOf(enterprise.tokenEndpoint ?? enterprise.issuer) }
    : {};
}

/**
 * Throws E_BAD_INPUT for a company's secret if no company is configured: it would be bound to whichever company is
 * configured first.
 */
export function refuseWithoutCompany({ enterprise }: ServerSettings, names: readonly SecretName[]): void {
  const early = enterprise ? undefined : names.find((name) => companySecrets.has(name));
  if (early !== undefined)
    throw new AppError(
      'E_BAD_INPUT',
      `The secret ${early} belongs to a company. Enter it together with the setting enterprise, or after it.`,
      { field: `secrets.${early}` },
    );
}

/** Derives the binding of a secret that an older version stored without one, from the entry in the list of servers. */
export function bindingOfOld(server: Server, name: SecretName): Binding {
  const { clientId, registrations, initialAccessTokenIssuer } = server;
  const registration = registrations.find((one) => one.how === 'configured' && one.client_id === clientId);
  const issuer =
    name === 'initialAccessToken'
      ? initialAccessTokenIssuer
      : issuerSecrets.has(name)
        ? registration?.issuer
        : undefined;
  return { ...bindingAtEntry(server, name), ...defined({ issuer }) };
}

/** For use at the server itself. */
export const atServer = ({ url }: Pick<Server, 'url'>): Binding => ({ server: originOf(url) });

/** For use at an endpoint of the server's authorization server. */
export const atIssuer = (server: Pick<Server, 'url'>, issuer: string, endpoint: string): Binding => ({
  ...atServer(server),
  issuer,
  endpoint: originOf(endpoint),
});

/**
 * For use at the company's identity provider: at the endpoints in its metadata, or at the token endpoint from the
 * settings.
 */
export function atCompanyOf({ settings }: Pick<Server, 'settings'>): Binding {
  const { issuer, tokenEndpoint } = settings.enterprise ?? {};
  return defined({ issuer, endpoint: tokenEndpoint === undefined ? undefined : originOf(tokenEndpoint) });
}
