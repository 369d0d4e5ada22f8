import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import { atServer } from '../../servers/secret-binding.ts';
import type { Vault } from '../../vault/credentials.ts';
import { neededSecret } from '../entered-secrets.ts';
import type { KeyHeader } from '../model.ts';
import type { Server } from '../../servers/server.ts';

/** RFC 9110 5.6.2. */
const fieldName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
/** What the connection or MCP needs for itself. */
const ownNames =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|expect|accept|accept-encoding|cookie|last-event-id|mcp-.*|proxy-.*)$/;

/**
 * The header with the key of a server without OAuth. `origin`: where the user entered it for; it goes nowhere else.
 * Throws E_STORE_*, E_BAD_INPUT, E_SECRET_AGAIN.
 */
export async function keyHeader(
  vault: Pick<Vault, 'readClientSecret'>,
  server: Server,
  origin: string,
): Promise<KeyHeader> {
  if (new URL(server.url).origin !== origin)
    throw new AppError(
      'E_BAD_INPUT',
      `The key was entered for ${sanitizeExternalText(origin)}, and the server is elsewhere now. Sign in again.`,
      { field: 'secrets.headerValue' },
    );
  const key = await neededSecret(vault, server, 'headerValue', atServer(server));
  const name = server.settings.headerName?.toLowerCase();
  if (name !== undefined && (!fieldName.test(name) || ownNames.test(name)))
    throw new AppError('E_BAD_INPUT', `No key can go into a header named "${sanitizeExternalText(name, 40)}".`, {
      field: 'settings.headerName',
    });
  // Visible ASCII; in between, spaces too.
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(key.reveal()))
    throw new AppError('E_BAD_INPUT', 'The key holds characters that no header can carry.', {
      field: 'secrets.headerValue',
    });
  return name === undefined
    ? { name: 'authorization', value: new Secret(`Bearer ${key.reveal()}`) }
    : { name, value: key };
}
