import type { Registration } from '../../servers/server.ts';

export type ClientSecretMethod = 'client_secret_basic' | 'client_secret_post';

/**
 * How a secret that the user entered is sent to a server that names these ways: as it worked before, else by HTTP
 * Basic, which a server takes that names none (RFC 8414 2), unless it names the other way alone.
 */
export function clientSecretMethod(methods: readonly string[] | undefined, before?: Registration): ClientSecretMethod {
  const takes = (method: ClientSecretMethod) => !methods || methods.includes(method);
  if (before?.hasSecret && before.token_endpoint_auth_method === 'client_secret_post' && takes('client_secret_post'))
    return 'client_secret_post';
  return !takes('client_secret_basic') && takes('client_secret_post') ? 'client_secret_post' : 'client_secret_basic';
}
