import { AppError } from '../../base/errors.ts';
import type { Registration, Server } from '../../servers/server.ts';
import { secretKeysOf } from './registration-secrets.ts';
import type { RegistrationDeps } from './registration-model.ts';

/** Forgets a registration that the server no longer knows: the next sign-in registers again. */
export async function dropRegistration(
  { servers, vault }: Pick<RegistrationDeps, 'servers' | 'vault'>,
  accountKey: string,
  dropped: Registration,
): Promise<void> {
  const server = servers.find(accountKey);
  if (!server) return;
  await servers.updateAccount(accountKey, {
    registrations: server.registrations.filter(
      (one) => one.client_id !== dropped.client_id || one.issuer !== dropped.issuer,
    ),
  });
  for (const key of dropped.how === 'dynamic' ? secretKeysOf(accountKey, dropped) : [])
    await vault.deleteClientSecret(key);
}

/** The dynamic registrations at this issuer, newest first. */
export function dynamicRegistrations(server: Server, issuer: string): Registration[] {
  return server.registrations
    .filter((one) => one.how === 'dynamic' && one.issuer === issuer)
    .sort((a, b) => b.registeredAt - a.registeredAt);
}

/** Replaces the registration for the same issuer, redirect URI and kind, and removes those in `gone`. */
export async function saveRegistration(
  deps: RegistrationDeps,
  accountKey: string,
  registration: Registration,
  gone: readonly Registration[] = [],
): Promise<void> {
  const registrations = listedServer(deps, accountKey).registrations.filter(
    (one) =>
      !gone.some(
        ({ issuer, client_id, how }) => how === one.how && issuer === one.issuer && client_id === one.client_id,
      ),
  );
  const others = registrations.filter(
    ({ how, issuer, redirect_uri }) =>
      how !== registration.how || issuer !== registration.issuer || redirect_uri !== registration.redirect_uri,
  );
  const same = registrations.find(
    (one) => !others.includes(one) && one.client_id === registration.client_id && one.how === 'configured',
  );
  if (
    gone.length === 0 &&
    same &&
    same.token_endpoint_auth_method === registration.token_endpoint_auth_method &&
    same.hasSecret === registration.hasSecret
  )
    return;
  await deps.servers.updateAccount(accountKey, { registrations: [...others, registration] });
}

/** Throws E_SERVER_UNKNOWN. */
export function listedServer({ servers }: RegistrationDeps, accountKey: string): Server {
  const server = servers.find(accountKey);
  if (!server) throw new AppError('E_SERVER_UNKNOWN', 'The server was removed.');
  return server;
}
