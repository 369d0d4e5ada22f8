import { decodeJwt } from 'jose';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import { atIssuer } from '../../servers/secret-binding.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import { originOf } from '../../vault/binding.ts';
import { storeFault } from '../../vault/store-fault.ts';
import { readSigningKey } from '../client-auth/client-assertion.ts';
import type { Companies } from '../enterprise/companies.ts';
import { companyOf } from '../enterprise/company.ts';
import { repeatGrant } from '../token-endpoint/token-endpoint.ts';
import { tokenParameters } from '../providers/quirks.ts';
import { chosenAuth } from '../client-auth/client-auth.ts';
import { enteredSecret, neededSecret, workloadAssertion } from '../entered-secrets.ts';
import { identityAssertion } from '../enterprise/id-jag.ts';
import { keyHeader } from './static-header.ts';
import type { Clock } from '../../base/clock.ts';
import type { Credential } from '../../vault/credential.ts';
import type { RefreshOutcome, TokenClient, TokenEndpointOptions, Grants } from '../model.ts';
import type { Server } from '../../servers/server.ts';
import { clientSecretKey } from '../registration/registration-secrets.ts';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export interface GrantsDeps {
  readonly servers: Pick<Servers, 'find'>;
  readonly vault: Pick<Vault, 'readClientSecret'>;
  readonly clock: Clock;
  readonly companies: Pick<Companies, 'identity' | 'httpOf'>;
}

export function createGrants({ servers, vault, clock, companies }: GrantsDeps): Grants {
  function serverOf({ id }: Pick<Credential, 'id'>): Server {
    const server = servers.find(id);
    if (!server) throw new AppError('E_SERVER_UNKNOWN', 'The server was removed.');
    return server;
  }

  const assertionFor = async (
    server: Server,
    credential: Credential,
    client: TokenClient,
    options: TokenEndpointOptions,
  ): Promise<Secret | RefreshOutcome> => {
    if (credential.grant === 'enterprise_managed')
      return identityAssertion({ vault, companies, server, client, scopes: credential.requestedScopes }, options);
    const assertion = await workloadAssertion(vault, server, atIssuer(server, client.issuer, client.tokenEndpoint));
    refuseExpired(assertion, clock.now());
    return assertion;
  };

  /** A registration that was renewed may have another secret than the one that the sign-in was stored with. */
  async function withRenewedSecret(server: Server, client: TokenClient): Promise<TokenClient> {
    const renewed = server.registrations.find(
      (one) =>
        one.how === 'dynamic' &&
        one.hasSecret &&
        one.renewedAt !== undefined &&
        one.issuer === client.issuer &&
        one.client_id === client.clientId,
    );
    if (!renewed || !client.clientSecret) return client;
    const read = await vault.readClientSecret(clientSecretKey(server.id, renewed), {
      issuer: client.issuer,
      endpoint: originOf(client.tokenEndpoint),
    });
    if (read.kind === 'found') return { ...client, clientSecret: read.value };
    if (read.kind === 'absent' || read.kind === 'elsewhere') return client;
    throw storeFault(read, 'The client secret could not be read');
  }

  return {
    async withClientAuth(credential, given) {
      const server = serverOf(credential);
      const { settings } = server;
      const chosen = given.clientId === server.clientId ? chosenAuth(server) : undefined;
      const client = chosen === undefined ? given : { ...given, clientAuth: chosen };
      const use = atIssuer(server, client.issuer, client.tokenEndpoint);
      if (client.clientAuth === 'private_key_jwt')
        return {
          ...client,
          signingKey: readSigningKey(await neededSecret(vault, server, 'privateKey', use), settings),
        };
      // A client that acts for itself keeps its secret in one place only, so that a new one counts at once.
      if (credential.grant === undefined) return withRenewedSecret(server, client);
      if (client.clientAuth === 'none' || client.clientAuth === 'tls_client_auth') return client;
      const clientSecret = await enteredSecret(vault, server, 'clientSecret', use);
      return clientSecret ? { ...client, clientSecret } : client;
    },

    async prepare(credential) {
      if (credential.grant !== 'enterprise_managed') return;
      const server = serverOf(credential);
      if (companyOf(server)) await companies.identity(server);
    },

    async requestToken(credential, client, options) {
      const parameters = tokenParameters(client);
      if (credential.requestedScopes.length > 0) parameters['scope'] = credential.requestedScopes.join(' ');
      if (credential.grant === 'client_credentials')
        return repeatGrant(client, { type: 'client_credentials', parameters }, options);
      const assertion = await assertionFor(serverOf(credential), credential, client, options);
      if (!(assertion instanceof Secret)) return assertion;
      const outcome = await repeatGrant(
        client,
        { type: jwtBearer, parameters: { ...parameters, assertion: assertion.reveal() } },
        options,
      );
      if (outcome.kind !== 'rejected' || credential.grant !== 'enterprise_managed') return outcome;
      const { code, message } = outcome.error;
      return {
        ...outcome,
        error: new AppError(
          code,
          `${sanitizeExternalText(new URL(client.issuer).host)} did not take the assertion of the company’s identity provider. ${message}`,
        ),
      };
    },

    header: async (credential) => keyHeader(vault, serverOf(credential), credential.resource),
  };
}

/** An assertion that everybody would refuse is not sent: the platform has a newer one soon. */
function refuseExpired(assertion: Secret, now: number): void {
  let expiresAt: number | undefined;
  try {
    expiresAt = decodeJwt(assertion.reveal()).exp;
  } catch {
    throw new AppError('E_BAD_INPUT', 'The assertion is not a JWT.', { field: 'secrets.assertion' });
  }
  if (expiresAt !== undefined && expiresAt * 1000 <= now)
    throw new AppError('E_TOKEN_REFUSED', 'The assertion has expired.', { sent: false });
}
