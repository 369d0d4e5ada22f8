import type { AppError } from '../../base/errors.ts';
import { asAppError } from '../../base/errors.ts';
import { fetchFollowingRedirect } from '../../http/follow.ts';
import type { Log } from '../../base/log.ts';
import type { Vault } from '../../vault/credentials.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';
import type { Registration, Server } from '../../servers/server.ts';
import { managementTokenKey, managementUse } from './registration-secrets.ts';
import { dropRegistration } from './registration-store.ts';
import type { RegistrationDeps } from './registration-model.ts';

/** What happened to the registrations of a server at sign-out. If there are several, the worst result. */
export type RegistrationEnding = 'deleted' | 'not_offered' | 'failed';

export interface DeleteRegistrationsDeps extends Pick<RegistrationDeps, 'servers'> {
  readonly http: Http;
  readonly log: Log;
  readonly vault: Pick<Vault, 'readClientSecret' | 'writeClientSecret' | 'deleteClientSecret'>;
  readonly allow: AddressPolicy;
}

const timeoutMs = 10_000;

/**
 * Deletes the dynamic registrations for this server, where the authorization server supports that (RFC 7592 2.3). A
 * registration that could not be deleted is kept for the next sign-in and the next try. Returns undefined if there was
 * none. Never throws.
 */
export async function deleteRegistrations(
  deps: DeleteRegistrationsDeps,
  server: Server,
): Promise<RegistrationEnding | undefined> {
  const endings: RegistrationEnding[] = [];
  for (const registration of server.registrations.filter(({ how }) => how === 'dynamic')) {
    const ending = await deleteOne(deps, server.id, registration).catch((error: unknown) =>
      failure(deps, server, asAppError(error)),
    );
    endings.push(ending);
  }
  return (['failed', 'not_offered', 'deleted'] as const).find((ending) => endings.includes(ending));
}

async function deleteOne(
  deps: DeleteRegistrationsDeps,
  accountKey: string,
  registration: Registration,
): Promise<RegistrationEnding> {
  const uri = registration.registration_client_uri;
  if (uri === undefined) return 'not_offered';
  const token = await deps.vault.readClientSecret(
    managementTokenKey(accountKey, registration),
    managementUse(registration.issuer, uri),
  );
  if (token.kind === 'absent') return 'not_offered';
  if (token.kind !== 'found') return 'failed';
  const { status } = await fetchFollowingRedirect(deps.http, {
    url: new URL(uri),
    method: 'DELETE',
    headers: { authorization: `Bearer ${token.value.reveal()}`, accept: 'application/json' },
    ownBearer: true,
    allow: deps.allow,
    timeoutMs,
    maxBytes: 64 * 1024,
  });
  deps.log('registration_deleted', { issuer: registration.issuer, status });
  // RFC 7592 2.3: 405 (in practice also 404 and 501) means not supported; 401 that the registration or its token is no
  // longer valid.
  if ([403, 404, 405, 501].includes(status)) return 'not_offered';
  const gone = status === 200 || status === 204;
  if (gone || status === 401) await dropRegistration(deps, accountKey, registration);
  return gone ? 'deleted' : 'failed';
}

function failure({ log }: DeleteRegistrationsDeps, { name }: Server, { code }: AppError): RegistrationEnding {
  log('registration_not_deleted', { server: name, code });
  return 'failed';
}
