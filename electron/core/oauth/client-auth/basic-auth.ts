import type * as oauth from 'oauth4webapi';
import type { Secret } from '../../base/secret.ts';

/**
 * HTTP Basic for clients (RFC 6749 2.3.1): id and secret as a form would write them, then Base64. oauth4webapi
 * 3.8.8 escapes more than a form does ("-" becomes "%2D"), and servers that forget to decode then know no such client.
 * `raw`: for those servers among them where that is not enough.
 */
export function basicAuthentication(clientId: string, secret: Secret, raw = false): oauth.ClientAuth {
  const written = raw ? (value: string) => value : formText;
  return (_server, _client, _body, headers) => {
    headers.set(
      'authorization',
      `Basic ${Buffer.from(`${written(clientId)}:${written(secret.reveal())}`).toString('base64')}`,
    );
  };
}

/** As application/x-www-form-urlencoded has it: letters, digits and `*-._` stay, a blank becomes `+`. */
const formText = (value: string): string => new URLSearchParams([['', value]]).toString().slice(1);
