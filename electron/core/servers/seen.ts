import type { Servers } from './servers.ts';
import type { Server } from './server.ts';

/** What a server said to a request without a token. */
export type Seen = 'open' | 'sign_in';

/**
 * Keeps what a server of the list said. That it wants a sign-in stays true: a server may answer one request without a
 * token and refuse another. `now` in Unix ms. Throws E_CONFIG_WRITE.
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
