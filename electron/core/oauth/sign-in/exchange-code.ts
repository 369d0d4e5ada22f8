import type { ClientSecretMethod } from '../client-auth/client-secret.ts';
import { asAppError } from '../../base/errors.ts';
import type { Servers } from '../../servers/servers.ts';
import { exchangeCode, type CodeGrant } from '../token-endpoint/token-endpoint.ts';
import type { AuthorizationServer, TokenClient, TokenEndpointOptions, Tokens } from '../model.ts';
import type { Registration, Server } from '../../servers/server.ts';

interface CodeExchangeDeps {
  readonly servers: Pick<Servers, 'find' | 'updateAccount'>;
  readonly server: Pick<Server, 'id' | 'settings'>;
  readonly registration: Registration;
  readonly authorizationServer: Pick<AuthorizationServer, 'token_endpoint_auth_methods_supported'>;
}

/**
 * Exchanges the code. If the server rejects HTTP Basic and the user has not chosen an authentication method, retries
 * once with the secret in the body: a server authenticates the client before it consumes the code, so the code is still
 * valid. Remembers the method that works. Returns the client as the server accepted it. Throws the errors of
 * `exchangeCode`.
 */
export async function exchangeAs(
  deps: CodeExchangeDeps,
  client: TokenClient,
  grant: CodeGrant,
  options: TokenEndpointOptions,
): Promise<{ readonly client: TokenClient; readonly tokens: Tokens }> {
  try {
    return { client, tokens: await exchangeCode(client, grant, options) };
  } catch (error) {
    if (!maySendSecretInBody(deps, client) || asAppError(error).code !== 'E_CLIENT_REFUSED') throw error;
    const postClient = { ...client, clientAuth: 'client_secret_post' } as const;
    const tokens = await exchangeCode(postClient, grant, options);
    await rememberMethod(deps, postClient.clientAuth);
    return { client: postClient, tokens };
  }
}

/** Whether HTTP Basic was only the default, and the server may accept the secret in the body. */
function maySendSecretInBody(
  { server, registration, authorizationServer: { token_endpoint_auth_methods_supported: methods } }: CodeExchangeDeps,
  { clientAuth, clientSecret }: TokenClient,
): boolean {
  const isDefault =
    registration.how === 'configured' &&
    clientAuth === 'client_secret_basic' &&
    server.settings.clientAuth === undefined;
  return isDefault && clientSecret !== undefined && (!methods || methods.includes('client_secret_post'));
}

/** Makes the next sign-in start with this method. */
async function rememberMethod(
  { servers, server: { id }, registration }: CodeExchangeDeps,
  method: ClientSecretMethod,
): Promise<void> {
  const { client_id, issuer } = registration;
  const isThis = (one: Registration) =>
    one.how === 'configured' && one.client_id === client_id && one.issuer === issuer;
  const registrations = servers
    .find(id)
    ?.registrations.map((one) => (isThis(one) ? { ...one, token_endpoint_auth_method: method } : one));
  if (registrations) await servers.updateAccount(id, { registrations });
}
