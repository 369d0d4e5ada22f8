import type { SecretName, ServerSettings } from '../../../shared/model.ts';
import { AppError } from '../base/errors.ts';
import { originOf, type Binding } from '../vault/binding.ts';
import type { Server } from './server.ts';

/** What goes to the company's identity provider, wherever the MCP server is. */
const ofCompany = new Set<SecretName>(['enterpriseClientSecret', 'enterpriseIdToken']);
/** What is shown to one authorization server. */
const ofIssuer = new Set<SecretName>(['clientSecret', 'privateKey', 'assertion']);

/**
 * What a secret is for that the user enters now: as far as the settings say. The issuer of the server is learned at the
 * first use.
 */
export function bindingAtEntry({ url, settings }: Pick<Server, 'url' | 'settings'>, name: SecretName): Binding {
  if (!ofCompany.has(name)) return { server: originOf(url) };
  const { enterprise } = settings;
  return enterprise
    ? { issuer: enterprise.issuer, endpoint: originOf(enterprise.tokenEndpoint ?? enterprise.issuer) }
    : {};
}

/** A secret for a company that no setting names yet would be for whoever is named first. Throws E_BAD_INPUT. */
export function refuseWithoutCompany({ enterprise }: ServerSettings, names: readonly SecretName[]): void {
  const early = enterprise ? undefined : names.find((name) => ofCompany.has(name));
  if (early !== undefined)
    throw new AppError(
      'E_BAD_INPUT',
      `The secret ${early} is for a company: enter it together with the setting enterprise, or after it.`,
      { field: `secrets.${early}` },
    );
}

/** What a secret was for that an older version stored without saying so: by what the list of servers says. */
export function bindingOfOld(server: Server, name: SecretName): Binding {
  const { clientId, registrations, initialAccessTokenIssuer } = server;
  const registration = registrations.find((one) => one.how === 'configured' && one.client_id === clientId);
  const issuer =
    name === 'initialAccessToken' ? initialAccessTokenIssuer : ofIssuer.has(name) ? registration?.issuer : undefined;
  return { ...bindingAtEntry(server, name), ...(issuer === undefined ? {} : { issuer }) };
}

/** A use at the server itself. */
export const atServer = ({ url }: Pick<Server, 'url'>): Binding => ({ server: originOf(url) });

/** A use at an endpoint of the server's authorization server. */
export const atIssuer = (server: Pick<Server, 'url'>, issuer: string, endpoint: string): Binding => ({
  ...atServer(server),
  issuer,
  endpoint: originOf(endpoint),
});

/**
 * A use at the company's identity provider: at its own endpoints, which its metadata names, or where the settings say.
 */
export function atCompanyOf({ settings }: Pick<Server, 'settings'>): Binding {
  const { issuer, tokenEndpoint } = settings.enterprise ?? {};
  return {
    ...(issuer === undefined ? {} : { issuer }),
    ...(tokenEndpoint === undefined ? {} : { endpoint: originOf(tokenEndpoint) }),
  };
}
