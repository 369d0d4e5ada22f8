import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import { atServer } from '../../servers/secret-binding.ts';
import type { Server } from '../../servers/server.ts';
import type { Vault } from '../../vault/credentials.ts';
import { neededSecret } from '../entered-secrets.ts';
import type { KeyHeader } from '../model.ts';

/** RFC 9110 5.6.2. */
const fieldName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
/** Headers that belong to the connection or to MCP. */
const reservedName = new RegExp(
  '^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|expect|accept|accept-encoding|' +
    'cookie|last-event-id|mcp-.*|proxy-.*)$',
);
/** Visible ASCII (RFC 9110 5.5), with spaces only inside. */
const fieldValue = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * The header that carries the key of a server without OAuth. `origin`: the one that the user entered the key for; it is
 * not sent to any other. Throws E_STORE_*, E_BAD_INPUT, E_SECRET_AGAIN.
 */
export async function keyHeader(
  vault: Pick<Vault, 'readClientSecret'>,
  server: Server,
  origin: string,
): Promise<KeyHeader> {
  if (new URL(server.url).origin !== origin) {
    const message = `The key was entered for ${sanitizeExternalText(origin)}, and the server has another address now.`;
    throw new AppError('E_BAD_INPUT', `${message} Sign in again.`, { field: 'secrets.headerValue' });
  }
  const key = await neededSecret(vault, server, 'headerValue', atServer(server));
  const name = server.settings.headerName?.toLowerCase();
  if (name !== undefined && (!fieldName.test(name) || reservedName.test(name)))
    throw new AppError('E_BAD_INPUT', `A key cannot be sent in a header named "${sanitizeExternalText(name, 40)}".`, {
      field: 'settings.headerName',
    });
  if (!fieldValue.test(key.reveal()))
    throw new AppError('E_BAD_INPUT', 'The key contains characters that are not allowed in a header.', {
      field: 'secrets.headerValue',
    });
  return name === undefined
    ? { name: 'authorization', value: new Secret(`Bearer ${key.reveal()}`) }
    : { name, value: key };
}
