import type { Registration } from '../../servers/server.ts';

export type ClientSecretMethod = 'client_secret_basic' | 'client_secret_post';

/**
 * How an entered client secret is sent: as it was before if the server still supports that, else by HTTP Basic, the
 * default of RFC 8414 2, unless the server supports only the form.
 */
export function clientSecretMethod(methods: readonly string[] | undefined, before?: Registration): ClientSecretMethod {
  const supports = (method: ClientSecretMethod) => !methods || methods.includes(method);
  if (!supports('client_secret_post')) return 'client_secret_basic';
  if (before?.hasSecret && before.token_endpoint_auth_method === 'client_secret_post') return 'client_secret_post';
  return supports('client_secret_basic') ? 'client_secret_basic' : 'client_secret_post';
}
