import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { Secret } from '../base/secret.ts';
import type { SecretStore, StoreFault } from './secret-store.ts';

/** Says of an entry of the list of servers whether Keybridge wrote it: with a key that lies in the store of secrets. */
export interface ListMacs {
  /**
   * Reads the key; without it nothing can be said. 'absent': none was made for this data folder yet. 'lost': one was,
   * and it is gone, or belongs to another list than the one that is there now. It is asked of the store itself, not of
   * the vault: what stands in a file must not be able to hide it.
   */
  readonly read: () => Promise<{ readonly kind: 'ready' | 'absent' | 'lost' } | StoreFault>;
  /**
   * Makes a key, for a data folder that has none. It counts when `keep` has stored it: what is signed with it has to be
   * on disk before.
   */
  readonly make: () => void;
  readonly keep: () => Promise<{ readonly kind: 'done' } | StoreFault>;
  /** Throws when the key was neither read nor made. */
  readonly of: (text: string) => string;
  readonly isRight: (text: string, mac: unknown) => boolean;
}

const keyBytes = 32;

/**
 * `installId`: stands in the list itself, where others could put another one, and have the list taken for one that
 * nobody has signed. So the store also keeps, by the path of the data folder, which list is signed there.
 */
export function createListMacs(store: Pick<SecretStore, 'get' | 'set'>, installId: string, dataDir: string): ListMacs {
  const item = `${installId}/list-key`;
  const signed = `folder/${createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 32)}/list-key`;
  let key: Secret | undefined;

  const read: ListMacs['read'] = async () => {
    const [list, found] = [await store.get(signed), await store.get(item)];
    if (list.kind !== 'found' && list.kind !== 'absent') return list;
    if (found.kind !== 'found' && found.kind !== 'absent') return found;
    if (list.kind === 'found' && list.value.reveal() !== installId) return { kind: 'lost' };
    // A damaged one is of no more use than none, and must not keep everything back.
    if (found.kind === 'absent' || Buffer.from(found.value.reveal(), 'base64url').length !== keyBytes)
      return { kind: list.kind === 'found' ? 'lost' : 'absent' };
    // The folder was moved. If that cannot be kept now, the next start does.
    if (list.kind === 'absent') await store.set(signed, new Secret(installId));
    key = found.value;
    return { kind: 'ready' };
  };
  const macOf = (text: string): string => {
    if (!key) throw new Error('the key of the list was not read');
    // Of its own kind: no text that something else is signed with is ever taken for it.
    return createHmac('sha256', Buffer.from(key.reveal(), 'base64url'))
      .update(`keybridge server 1\n${text}`)
      .digest('base64url');
  };
  return {
    read,
    make() {
      key = new Secret(randomBytes(keyBytes).toString('base64url'));
    },
    async keep() {
      const made = key;
      if (!made) return { kind: 'unavailable', detail: 'there is no key of the list' };
      key = undefined;
      const kept = await store.set(item, made);
      if (kept.kind !== 'done') return kept;
      const noted = await store.set(signed, new Secret(installId));
      if (noted.kind !== 'done') return noted;
      const back = await read();
      if (back.kind === 'ready') return { kind: 'done' };
      return back.kind === 'absent' || back.kind === 'lost'
        ? { kind: 'unavailable', detail: 'the store did not keep what was written' }
        : (back as StoreFault);
    },
    of: macOf,
    isRight(text, mac) {
      const [right, given] = [Buffer.from(macOf(text)), Buffer.from(typeof mac === 'string' ? mac : '')];
      return right.length === given.length && timingSafeEqual(right, given);
    },
  };
}
