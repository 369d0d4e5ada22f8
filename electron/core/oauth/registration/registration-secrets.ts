import { createHash } from 'node:crypto';
import type { Secret } from '../../base/secret.ts';
import { originOf, type Binding, type BoundElsewhere } from '../../vault/binding.ts';
import type { BoundRead } from '../../vault/bound-secrets.ts';
import { storeFault } from '../../vault/store-fault.ts';
import type { AuthorizationServer } from '../model.ts';
import type { Registration, Server } from '../../servers/server.ts';
import type { RegistrationDeps } from './registration-model.ts';

/** Where the vault keeps the token that manages a registration (RFC 7592). */
export const managementTokenKey = (
  accountKey: string,
  registration: Pick<Registration, 'issuer' | 'redirect_uri'>,
): string => `${clientSecretKey(accountKey, registration)}:management`;

/** Where the vault keeps the secret of a dynamic registration. */
export function clientSecretKey(
  accountKey: string,
  { issuer, redirect_uri }: Pick<Registration, 'issuer' | 'redirect_uri'>,
): string {
  return `${accountKey}:${createHash('sha256').update(`${issuer} ${redirect_uri}`).digest('hex').slice(0, 16)}`;
}

/** The keys of everything that the vault keeps for an account's registrations, to delete it with the account. */
export function clientSecretKeys({ id, registrations }: Server): string[] {
  return [...new Set(registrations.filter(({ how }) => how === 'dynamic').flatMap((one) => secretKeysOf(id, one)))];
}

export function secretKeysOf(accountKey: string, registration: Registration): string[] {
  const management =
    registration.registration_client_uri === undefined ? [] : [managementTokenKey(accountKey, registration)];
  return registration.hasSecret ? [clientSecretKey(accountKey, registration), ...management] : management;
}

/** A registered client secret is sent only to the token endpoint of its issuer. */
export const secretUse = ({ issuer, token_endpoint }: AuthorizationServer): Binding => ({
  issuer,
  endpoint: originOf(token_endpoint),
});

/** A registration access token is sent only to the address that came with the registration (RFC 7592). */
export const managementUse = (issuer: string, uri: string): Binding => ({ issuer, endpoint: originOf(uri) });

/** Returns the secret, or undefined if there is none. Throws E_STORE_*. */
export function secretIn(read: Exclude<BoundRead, BoundElsewhere>): Secret | undefined {
  if (read.kind === 'found') return read.value;
  if (read.kind === 'absent') return undefined;
  throw storeFault(read, 'The client registration could not be read');
}

export async function storeSecret(
  { vault }: RegistrationDeps,
  key: string,
  secret: Secret,
  use: Binding,
): Promise<void> {
  const written = await vault.writeClientSecret(key, secret, use);
  if (written.kind !== 'done') throw storeFault(written, 'The client registration could not be stored');
}
