import type * as oauth from 'oauth4webapi';
import type { Secret } from '../../base/secret.ts';

/**
 * HTTP Basic for clients (RFC 6749 2.3.1): client ID and secret form-encoded, then Base64. Not that of oauth4webapi
 * 3.8.8, which escapes more than a form does ("-" becomes "%2D"), so that servers that do not decode reject the client.
 * `raw`: without any encoding, for servers that do not decode at all.
 */
export function basicAuthentication(clientId: string, secret: Secret, raw = false): oauth.ClientAuth {
  const encode = raw ? (value: string) => value : formEncoded;
  return (_server, _client, _body, headers) => {
    headers.set(
      'authorization',
      `Basic ${Buffer.from(`${encode(clientId)}:${encode(secret.reveal())}`).toString('base64')}`,
    );
  };
}

/** application/x-www-form-urlencoded: keeps letters, digits and `*-._`; a space becomes `+`. */
const formEncoded = (value: string): string => new URLSearchParams([['', value]]).toString().slice(1);
