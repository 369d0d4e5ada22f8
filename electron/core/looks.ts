import type { ServerSettings } from '../../shared/model.ts';
import type { Server, Servers } from './servers/servers.ts';

/** What a server said to a request without a token. */
export type Seen = 'open' | 'sign_in';

/**
 * Keeps what a server of the list said. That it wants a sign-in stays true: a server may answer one request without a token
 * and refuse another. `now` in Unix ms.
 */
export async function keepSeen(servers: Pick<Servers, 'find' | 'update'>, { id }: Pick<Server, 'id'>, seen: Seen, now: number): Promise<void> {
  const known = servers.find(id);
  if (!known || (seen === 'sign_in' ? known.signInRequired : known.openSeenAt !== undefined)) return;
  await servers.update(id, seen === 'sign_in' ? { signInRequired: true } : { openSeenAt: now });
}

/** What was seen at addresses that may be added next. Only what the core saw itself is kept about a new server. */
export interface Looks {
  remember(url: string, settings: ServerSettings, seen: Seen): void;
  /** Undefined: nobody has looked there with these settings. */
  seen(url: string, settings: ServerSettings): Seen | undefined;
}

/** A person looks at a few addresses before one is added. */
const most = 50;

export function createLooks(): Looks {
  const looks = new Map<string, Seen>();
  const keyOf = (url: string, settings: ServerSettings) => JSON.stringify([url, Object.entries(settings).toSorted(([a], [b]) => a.localeCompare(b, 'en'))]);
  return {
    remember(url, settings, seen) {
      const key = keyOf(url, settings);
      looks.delete(key);
      looks.set(key, seen);
      const [oldest] = looks.keys();
      if (looks.size > most && oldest !== undefined) looks.delete(oldest);
    },
    seen: (url, settings) => looks.get(keyOf(url, settings)),
  };
}
