import { z } from 'zod';
import { readJson } from '../../../../shared/json.ts';
import { asAppError } from '../../base/errors.ts';
import { fetchFollowingRedirect } from '../../http/follow.ts';
import type { Log } from '../../base/log.ts';
import { Secret } from '../../base/secret.ts';
import type { Servers } from '../../servers/servers.ts';
import { originOf, type Binding } from '../../vault/binding.ts';
import type { Vault } from '../../vault/credentials.ts';
import { storeFault } from '../../vault/store-fault.ts';
import { presetFor } from '../providers/presets.ts';
import type { Clock } from '../../base/clock.ts';
import type { AddressPolicy, Http, HttpResponse } from '../../http/http.ts';
import type { Registration, Server } from '../../servers/server.ts';
import { clientSecretKey, managementTokenKey, managementUse } from './registration-secrets.ts';

export interface RegistrationRenewalDeps {
  readonly servers: Pick<Servers, 'list' | 'find' | 'updateAccount'>;
  readonly vault: Pick<Vault, 'readClientSecret' | 'writeClientSecret' | 'facts'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly httpOf: (accountKey: string) => Http;
  /** What may be connected to for this account. */
  readonly policyOf: (server: Server) => Promise<AddressPolicy>;
}

/** Renews registrations before they expire: an expired one forces a person to sign in again. */
export interface RegistrationRenewal {
  /** Checks now, and then every six hours. */
  start(): void;
  /** Checks all registrations once. Never throws. */
  look(): Promise<void>;
  stop(): void;
}

const lookEveryMs = 6 * 60 * 60 * 1000;
const timeoutMs = 10_000;
const mostWrites = 60;
const dayMs = 24 * 60 * 60 * 1000;

/** RFC 7592 3. Members that we do not use may be anything, and are sent back unchanged. */
const Client = z.looseObject({
  client_id: z.string(),
  client_secret: z
    .string()
    .regex(/^[\x20-\x7e]{1,4000}$/)
    .nullish(),
  client_secret_expires_at: z.coerce.number().nullish().catch(undefined),
  registration_access_token: z
    .string()
    .regex(/^[\x21-\x7e]{1,8000}$/)
    .nullish()
    .catch(undefined),
  registration_client_uri: z.string().nullish().catch(undefined),
});
type Client = z.infer<typeof Client>;

/**
 * When a registration expires, Unix ms: as its server said, else as the preset says. Undefined: not known to expire.
 */
export function endOfRegistration(registration: Registration, server: Pick<Server, 'settings'>): number | undefined {
  const days = presetFor(registration.issuer, server.settings.preset)?.registrationDays;
  return (
    registration.endsAt ??
    registration.secretExpiresAt ??
    (days === undefined ? undefined : (registration.renewedAt ?? registration.registeredAt) + days * dayMs)
  );
}

export function createRegistrationRenewal(deps: RegistrationRenewalDeps): RegistrationRenewal {
  const { servers, vault, clock, log } = deps;
  let cancel = (): void => {};
  let stopped = false;

  /** Past half of its lifetime and not expired: an expired registration cannot be renewed. */
  function isDue(registration: Registration, server: Server): boolean {
    const end = endOfRegistration(registration, server);
    const from = registration.renewedAt ?? registration.registeredAt;
    return (
      registration.how === 'dynamic' &&
      registration.registration_client_uri !== undefined &&
      end !== undefined &&
      clock.now() < end &&
      clock.now() >= from + (end - from) / 2
    );
  }

  async function renew(server: Server, registration: Registration, uri: string): Promise<void> {
    const read = await vault.readClientSecret(
      managementTokenKey(server.id, registration),
      managementUse(registration.issuer, uri),
    );
    if (read.kind !== 'found') return log('registration_not_renewed', { server: server.name, why: read.kind });
    // The response may hold the only copy of a new token: first make sure that the store works.
    await write(managementTokenKey(server.id, registration), read.value, managementUse(registration.issuer, uri));
    const got = await ask(server, uri, read.value, 'GET');
    if (!got) return;
    const after = await take(server, registration, got);
    const end = endOfRegistration(registration, server);
    const unchanged = after.registration.endsAt !== undefined && end !== undefined && after.registration.endsAt <= end;
    // Some servers extend a registration only on an update (RFC 7592 2.2).
    const put = unchanged
      ? await ask(
          server,
          after.registration.registration_client_uri ?? uri,
          after.token ?? read.value,
          'PUT',
          updateOf(got),
        )
      : undefined;
    if (put) await take(server, after.registration, put);
  }

  async function ask(
    server: Server,
    uri: string,
    token: Secret,
    method: 'GET' | 'PUT',
    body?: object,
  ): Promise<Client | undefined> {
    const response: HttpResponse = await fetchFollowingRedirect(deps.httpOf(server.id), {
      url: new URL(uri),
      method,
      headers: {
        authorization: `Bearer ${token.reveal()}`,
        accept: 'application/json',
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      ownBearer: true,
      allow: await deps.policyOf(server),
      timeoutMs,
      maxBytes: 64 * 1024,
    });
    const client = response.status === 200 ? Client.safeParse(readJson(response.body)).data : undefined;
    log('registration_asked', { server: server.name, method, status: response.status, usable: client !== undefined });
    return client;
  }

  /** Stores the response: the management token first, since the old one may no longer be valid. */
  async function take(
    server: Server,
    registration: Registration,
    client: Client,
  ): Promise<{ readonly registration: Registration; readonly token?: Secret }> {
    const { issuer, registration_client_uri: before = '' } = registration;
    const named = client.registration_client_uri;
    const uri = named && URL.canParse(named) && originOf(named) === originOf(before) ? named : before;
    const token = client.registration_access_token ? new Secret(client.registration_access_token) : undefined;
    if (token) await keep(managementTokenKey(server.id, registration), token, managementUse(issuer, uri));
    // Data of another registration: its token is kept, since ours may no longer be valid; the rest is ignored.
    if (client.client_id !== registration.client_id) return { registration, ...(token ? { token } : {}) };
    const facts = vault.facts(server.id);
    const endpoint = facts?.issuer === issuer ? { endpoint: originOf(facts.tokenEndpoint) } : {};
    if (registration.hasSecret && client.client_secret)
      await keep(clientSecretKey(server.id, registration), new Secret(client.client_secret), { issuer, ...endpoint });
    const expires = client.client_secret_expires_at ?? 0;
    const { endsAt: _endsAt, secretExpiresAt: _secretExpiresAt, ...rest } = registration;
    const renewed: Registration = {
      ...rest,
      registration_client_uri: uri,
      renewedAt: clock.now(),
      ...(expires > 0 ? { endsAt: expires * 1000 } : {}),
      ...(expires > 0 && registration.hasSecret ? { secretExpiresAt: expires * 1000 } : {}),
    };
    const known = servers.find(server.id)?.registrations ?? [];
    const same = (one: Registration) =>
      one.how === 'dynamic' && one.client_id === registration.client_id && one.issuer === issuer;
    if (known.some(same))
      await servers.updateAccount(server.id, { registrations: known.map((one) => (same(one) ? renewed : one)) });
    log('registration_renewed', { server: server.name, issuer, endsAt: renewed.endsAt });
    return { registration: renewed, ...(token ? { token } : {}) };
  }

  /** This may be the only copy: if the store fails, writing is retried for a while. */
  async function keep(key: string, secret: Secret, use: Binding): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await write(key, secret, use);
      } catch (error) {
        if (stopped || tries === mostWrites) throw error;
        await new Promise<void>((resolve) => void clock.after(1_000, resolve));
      }
    }
  }

  async function write(key: string, secret: Secret, use: Binding): Promise<void> {
    const written = await vault.writeClientSecret(key, secret, use);
    if (written.kind !== 'done') throw storeFault(written, 'The registration could not be kept');
  }

  async function look(): Promise<void> {
    for (const server of servers.list()) {
      for (const registration of server.registrations) {
        if (stopped || !isDue(registration, server)) continue;
        await renew(server, registration, registration.registration_client_uri ?? '').catch((error: unknown) =>
          log('registration_not_renewed', { server: server.name, code: asAppError(error).code }),
        );
      }
    }
  }

  function plan(): void {
    if (!stopped) cancel = clock.after(lookEveryMs, () => void look().finally(plan));
  }

  return {
    look,
    start: () => void look().finally(plan),
    stop() {
      stopped = true;
      cancel();
    },
  };
}

/** RFC 7592 2.2: all members that the server sent, except those that an update must not contain. */
function updateOf({
  registration_access_token: _token,
  registration_client_uri: _uri,
  client_secret_expires_at: _expires,
  client_id_issued_at: _issued,
  client_secret_issued_at: _secret,
  ...metadata
}: Client): object {
  return metadata;
}
