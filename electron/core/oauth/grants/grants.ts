import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { Server } from '../../servers/server.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Vault } from '../../vault/credentials.ts';
import type { Companies } from '../enterprise/companies.ts';
import { companyOf } from '../enterprise/company.ts';
import type { Grants } from '../model.ts';
import { tokenParameters } from '../providers/quirks.ts';
import { repeatGrant } from '../token-endpoint/token-endpoint.ts';
import { requestByAssertion } from './assertion-grant.ts';
import { withEnteredAuth } from './entered-auth.ts';
import { keyHeader } from './static-header.ts';

export interface GrantsDeps {
  readonly servers: Pick<Servers, 'find'>;
  readonly vault: Pick<Vault, 'readClientSecret'>;
  readonly clock: Clock;
  readonly companies: Pick<Companies, 'identity' | 'httpOf'>;
}

export function createGrants(deps: GrantsDeps): Grants {
  const { servers, vault, companies } = deps;
  function serverOf({ id }: Pick<Credential, 'id'>): Server {
    const server = servers.find(id);
    if (!server) throw new AppError('E_SERVER_UNKNOWN', 'The server was removed.');
    return server;
  }

  return {
    withClientAuth: async (credential, client) =>
      withEnteredAuth(vault, serverOf(credential), credential.grant, client),

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
      return requestByAssertion(deps, { server: serverOf(credential), credential, client, parameters }, options);
    },

    header: async (credential) => keyHeader(vault, serverOf(credential), credential.resource),
  };
}
