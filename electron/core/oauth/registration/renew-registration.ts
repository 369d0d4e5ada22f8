import { defined } from '../../../../shared/defined.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { Secret } from '../../base/secret.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';
import type { Registration, Server } from '../../servers/server.ts';
import type { Servers } from '../../servers/servers.ts';
import { originOf, type Binding } from '../../vault/binding.ts';
import type { Vault } from '../../vault/credentials.ts';
import { storeFault } from '../../vault/store-fault.ts';
import {
  requestConfiguration,
  updateOf,
  type ConfigurationRequest,
  type ConfiguredClient,
} from './client-configuration.ts';
import { endOfRegistration } from './registration-expiry.ts';
import { clientSecretKey, managementTokenKey, managementUse } from './registration-secrets.ts';

export interface RenewDeps {
  readonly servers: Pick<Servers, 'find' | 'updateAccount'>;
  readonly vault: Pick<Vault, 'readClientSecret' | 'writeClientSecret' | 'facts'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly httpOf: (accountKey: string) => Http;
  /** What may be connected to for this account. */
  readonly policyOf: (server: Server) => Promise<AddressPolicy>;
  /** Whether the app is closing. */
  readonly isStopped: () => boolean;
}

const maxWrites = 60;

/**
 * Renews one registration (RFC 7592): reads it, and updates it if reading did not extend it. Throws E_STORE_* and the
 * faults of Http.
 */
export async function renewRegistration(deps: RenewDeps, server: Server, registration: Registration): Promise<void> {
  const { vault, log } = deps;
  const { registration_client_uri: uri = '' } = registration;
  const key = managementTokenKey(server.id, registration);
  const binding = managementUse(registration.issuer, uri);
  const read = await vault.readClientSecret(key, binding);
  if (read.kind !== 'found') return log('registration_not_renewed', { server: server.name, why: read.kind });
  // The response may hold the only copy of a new token: first make sure that the store works.
  await write(vault, key, read.value, binding);
  const client = await request(deps, server, { uri, token: read.value });
  if (!client) return;
  const stored = await store(deps, server, registration, client);
  if (!isUnchanged(stored.registration, registration, server)) return;
  // Some servers extend a registration only on an update (RFC 7592 2.2).
  const updated = await request(deps, server, {
    uri: stored.registration.registration_client_uri ?? uri,
    token: stored.token ?? read.value,
    update: updateOf(client),
  });
  if (updated) await store(deps, server, stored.registration, updated);
}

async function request(
  deps: RenewDeps,
  server: Server,
  options: Omit<ConfigurationRequest, 'allow'>,
): Promise<ConfiguredClient | undefined> {
  const allow = await deps.policyOf(server);
  const { status, client } = await requestConfiguration(deps.httpOf(server.id), { ...options, allow });
  const method = options.update ? 'PUT' : 'GET';
  deps.log('registration_asked', { server: server.name, method, status, usable: client !== undefined });
  return client;
}

/** Stores the response: the registration access token first, since the old one may no longer be valid. */
async function store(
  deps: RenewDeps,
  server: Server,
  registration: Registration,
  client: ConfiguredClient,
): Promise<{ readonly registration: Registration; readonly token?: Secret }> {
  const { vault, servers, clock, log } = deps;
  const { issuer } = registration;
  const uri = managementUri(registration, client);
  const token = client.registration_access_token ? new Secret(client.registration_access_token) : undefined;
  if (token)
    await writeRepeatedly(deps, managementTokenKey(server.id, registration), token, managementUse(issuer, uri));
  // Data of another registration: its token is kept, since ours may no longer be valid; the rest is ignored.
  if (client.client_id !== registration.client_id) return { registration, ...defined({ token }) };
  const facts = vault.facts(server.id);
  const endpoint = facts?.issuer === issuer ? originOf(facts.tokenEndpoint) : undefined;
  if (registration.hasSecret && client.client_secret) {
    const secret = new Secret(client.client_secret);
    await writeRepeatedly(deps, clientSecretKey(server.id, registration), secret, { issuer, ...defined({ endpoint }) });
  }
  const renewed = renewedRegistration(registration, client, uri, clock.now());
  const known = servers.find(server.id)?.registrations ?? [];
  const isSame = ({ how, client_id, issuer: at }: Registration) =>
    how === 'dynamic' && client_id === registration.client_id && at === issuer;
  if (known.some(isSame))
    await servers.updateAccount(server.id, { registrations: known.map((one) => (isSame(one) ? renewed : one)) });
  log('registration_renewed', { server: server.name, issuer, endsAt: renewed.endsAt });
  return { registration: renewed, ...defined({ token }) };
}

/** This may be the only copy: if the store fails, writing is retried for a while. */
async function writeRepeatedly(
  { vault, clock, isStopped }: RenewDeps,
  key: string,
  secret: Secret,
  binding: Binding,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write(vault, key, secret, binding);
    } catch (error) {
      if (isStopped() || tries === maxWrites) throw error;
      await new Promise<void>((resolve) => void clock.after(1_000, resolve));
    }
  }
}

async function write(vault: RenewDeps['vault'], key: string, secret: Secret, binding: Binding): Promise<void> {
  const written = await vault.writeClientSecret(key, secret, binding);
  if (written.kind !== 'done') throw storeFault(written, 'The registration could not be stored');
}

/** Whether the server responded without extending the registration. */
function isUnchanged(after: Registration, before: Registration, server: Server): boolean {
  const end = endOfRegistration(before, server);
  return after.endsAt !== undefined && end !== undefined && after.endsAt <= end;
}

/** The new address, if it is on the origin of the old one: the token is sent nowhere else. */
function managementUri(
  { registration_client_uri: before = '' }: Registration,
  { registration_client_uri: named }: ConfiguredClient,
): string {
  return named && URL.canParse(named) && originOf(named) === originOf(before) ? named : before;
}

/** `now`: Unix ms. */
function renewedRegistration(
  registration: Registration,
  { client_secret_expires_at: expires }: ConfiguredClient,
  uri: string,
  now: number,
): Registration {
  const { endsAt: _endsAt, secretExpiresAt: _secretExpiresAt, ...rest } = registration;
  // In seconds; 0 means never.
  const endsAt = expires && expires > 0 ? expires * 1000 : undefined;
  return {
    ...rest,
    registration_client_uri: uri,
    renewedAt: now,
    ...defined({ endsAt, secretExpiresAt: registration.hasSecret ? endsAt : undefined }),
  };
}
