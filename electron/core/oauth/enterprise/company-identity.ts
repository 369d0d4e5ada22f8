import { defined } from '../../../../shared/defined.ts';
import type { Clock } from '../../base/clock.ts';
import { AppError, asAppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { Server } from '../../servers/server.ts';
import type { Vault } from '../../vault/credentials.ts';
import { storeFault } from '../../vault/store-fault.ts';
import type { Identity } from '../identity/identity.ts';
import type { TokenClient } from '../model.ts';
import { clientOfCredential } from '../token-endpoint/token-client.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import type { CompanyClients } from './company-clients.ts';
import { idTokenFrom, isExpired, needsPerson, requireCompany } from './company-token.ts';
import { companyOf, type Company } from './company.ts';
import { exchangeElsewhere } from './exchange-origins.ts';
import { asCompanyError } from './identity-provider.ts';

/** What a token exchange needs: the person's ID token, and our client at the company. */
export interface CompanyIdentity {
  readonly idToken: Secret;
  /** False: when the ID token expires, the person has to sign in again. */
  readonly renewable: boolean;
  readonly client: TokenClient;
}

export interface IdentityOptions {
  /** The ID token that the company has just rejected. */
  readonly rejected?: Secret;
  readonly signal?: AbortSignal;
}

export interface CompanyIdentityDeps {
  readonly tokens: Pick<AccessTokens, 'accessToken' | 'refreshNow' | 'current' | 'state'>;
  readonly vault: Pick<Vault, 'read'>;
  readonly clients: Pick<CompanyClients, 'policyOf'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Whether the company's sign-in can be used for this server. A person is waiting, so this refreshes at once, whatever
 * the back-off says. Throws errors that may be temporary.
 */
export async function isSignedIn(
  { tokens, vault, clock }: CompanyIdentityDeps,
  company: Company,
  server: Server,
): Promise<boolean> {
  if (tokens.state(company.id).kind === 'ended') return false;
  try {
    const token = tokens.current(company.id)?.token;
    const result =
      token && !isExpired(token, clock.now())
        ? await tokens.accessToken(company.id)
        : await tokens.refreshNow(company.id);
    idTokenFrom(result, company);
    const read = await vault.read(company.id);
    return read.kind !== 'found' || exchangeElsewhere(read.credential, server) === undefined;
  } catch (error) {
    if (needsPerson(asAppError(error))) return false;
    throw error;
  }
}

/** See `Companies.identity`. */
export async function companyIdentity(
  { tokens, vault, clients }: CompanyIdentityDeps,
  server: Server,
  options: IdentityOptions,
): Promise<CompanyIdentity> {
  const company = requireCompany(server);
  const idToken = idTokenFrom(await tokens.accessToken(company.id, options), company);
  const read = await vault.read(company.id);
  const elsewhere = read.kind === 'found' ? exchangeElsewhere(read.credential, server) : undefined;
  if (elsewhere) throw asCompanyError(elsewhere, company.issuer);
  if (read.kind === 'found')
    return {
      idToken,
      renewable: read.credential.refreshToken !== undefined,
      client: clientOfCredential(read.credential, await clients.policyOf(read.credential)),
    };
  if (read.kind === 'absent' || read.kind === 'damaged')
    throw asCompanyError(new AppError('E_SIGN_IN_AGAIN', 'The sign-in is no longer in the keychain.'), company.issuer);
  throw storeFault(read, 'The company sign-in could not be read');
}

/** Who is signed in at the company of this server. */
export function personAtCompany(vault: Pick<Vault, 'facts'>, server: Server): Identity {
  const company = companyOf(server);
  const { subject, account, idTokenClaims, identityNotes } = (company && vault.facts(company.id)) ?? {};
  // A subject with notes was not verified. That is enough for the provider itself, which gets its own token back, but
  // not for servers.
  return defined({ subject: identityNotes ? undefined : subject, account, idTokenClaims, identityNotes });
}
