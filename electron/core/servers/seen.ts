import type { Servers } from './servers.ts';
import type { Server } from './server.ts';

/** How a server responded to a request without a token. */
export type Seen = 'open' | 'sign_in';

/**
 * Stores how a server responded to a request without a token. Once it has required a sign-in, that stays: a server may
 * accept one request without a token and refuse another. `now`: Unix ms. Throws E_CONFIG_WRITE.
 */
export async function keepSeen(
  servers: Pick<Servers, 'find' | 'update'>,
  { id }: Pick<Server, 'id'>,
  seen: Seen,
  now: number,
): Promise<void> {
  const known = servers.find(id);
  if (!known || (seen === 'sign_in' ? known.signInRequired : known.openSeenAt !== undefined)) return;
  await servers.update(id, seen === 'sign_in' ? { signInRequired: true } : { openSeenAt: now });
}
