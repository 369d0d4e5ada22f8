import { defined } from '../../../../shared/defined.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { atIssuer, bindingOfOld } from '../../servers/secret-binding.ts';
import { enterAgain } from '../entered-secrets.ts';
import { clientSecretMethod } from '../client-auth/client-secret.ts';
import { secretKeyOf, type Registration, type Server } from '../../servers/server.ts';
import { secretIn } from './registration-secrets.ts';
import { saveRegistration } from './registration-store.ts';
import type { RegistrationDeps, RegistrationRequest, RegistrationOutcome } from './registration-model.ts';

/** The client that the user entered. Throws E_CLIENT_ID_NEEDED, E_SECRET_AGAIN, E_STORE_*. */
export async function configuredClient(
  deps: RegistrationDeps,
  request: RegistrationRequest,
  server: Server,
  clientId: string,
): Promise<RegistrationOutcome> {
  const { authorizationServer, redirectUri } = request;
  const { issuer } = authorizationServer;
  const known = server.registrations.filter((one) => one.how === 'configured' && one.client_id === clientId);
  const elsewhere = known.find((one) => one.issuer !== issuer);
  const clientSecret = server.hasClientSecret ? await enteredClientSecret(deps, request, server, elsewhere) : undefined;
  // MCP, Authorization Server Binding: credentials of one issuer are never sent to another. A secret that was entered
  // for this issuer since then shows that the user wants it.
  if (elsewhere && !clientSecret) throw clientElsewhere(elsewhere.issuer, issuer);
  const before = known.find((one) => one.issuer === issuer);
  const registration: Registration = {
    issuer,
    client_id: clientId,
    token_endpoint_auth_method: clientSecret
      ? clientSecretMethod(authorizationServer.token_endpoint_auth_methods_supported, before)
      : 'none',
    redirect_uri: redirectUri,
    registeredAt: deps.clock.now(),
    hasSecret: clientSecret !== undefined,
    how: 'configured',
  };
  await saveRegistration(deps, server.id, registration, elsewhere ? known.filter((one) => one.issuer !== issuer) : []);
  return { kind: 'registered', registration, reused: false, ...defined({ clientSecret }) };
}

async function enteredClientSecret(
  { vault }: RegistrationDeps,
  { authorizationServer: { issuer, token_endpoint } }: RegistrationRequest,
  server: Server,
  elsewhere: Registration | undefined,
): Promise<Secret | undefined> {
  const read = await vault.readClientSecret(
    secretKeyOf(server, 'clientSecret'),
    atIssuer(server, issuer, token_endpoint),
    bindingOfOld(server, 'clientSecret'),
  );
  if (read.kind === 'elsewhere')
    throw elsewhere ? clientElsewhere(elsewhere.issuer, issuer) : enterAgain(server, 'clientSecret', read);
  return secretIn(read);
}

/** A client ID that the user entered for another issuer. */
export function clientElsewhere(was: string, now: string): AppError {
  return new AppError(
    'E_CLIENT_ID_NEEDED',
    `The client ID belongs to ${sanitizeExternalText(was)}, but the server now uses ${sanitizeExternalText(now)}. ` +
      'If that is correct, enter the client secret again, or the client ID if it has no secret.',
  );
}
