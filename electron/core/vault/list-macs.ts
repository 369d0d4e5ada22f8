import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { Secret } from '../base/secret.ts';
import type { SecretStore, StoreFault } from './secret-store.ts';

/**
 * MACs over the entries of the list of servers, which show whether another program changed one. The key is in the
 * secret store, which a program that can only write files cannot read. servers/covered.ts says which members of an
 * entry are covered (names and titles are not).
 */
export interface ListMacs {
  /**
   * Reads the key, without which nothing can be verified. 'absent': this data folder has no key yet. 'lost': it had
   * one, which is gone or belongs to another list than the present one. Asks the store directly and not the vault,
   * whose index file another program could change to hide the key.
   */
  readonly read: () => Promise<{ readonly kind: 'ready' | 'absent' | 'lost' } | StoreFault>;
  /** Generates a key for a data folder that has none. Write the entries signed with it to disk before `store`. */
  readonly generate: () => void;
  /** Stores the generated key, which is valid from then on. */
  readonly store: () => Promise<{ readonly kind: 'done' } | StoreFault>;
  /** Returns the MAC of a text. Throws if the key was neither read nor generated. */
  readonly compute: (text: string) => string;
  /** Whether a MAC is valid for a text. Throws like `compute`. */
  readonly verify: (text: string, mac: unknown) => boolean;
}

const keyBytes = 32;

/**
 * `installId` is stored in the list itself. Another program could change it there, to pass the list off as one that was
 * never signed. The store therefore also records, by the path of the data folder, which list is signed there.
 */
export function createListMacs(
  secretStore: Pick<SecretStore, 'get' | 'set'>,
  installId: string,
  dataDir: string,
): ListMacs {
  const keyItem = `${installId}/list-key`;
  const folderId = createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 32);
  const folderItem = `folder/${folderId}/list-key`;
  let key: Secret | undefined;

  const read: ListMacs['read'] = async () => {
    const [signedList, stored] = [await secretStore.get(folderItem), await secretStore.get(keyItem)];
    if (signedList.kind !== 'found' && signedList.kind !== 'absent') return signedList;
    if (stored.kind !== 'found' && stored.kind !== 'absent') return stored;
    if (signedList.kind === 'found' && signedList.value.reveal() !== installId) return { kind: 'lost' };
    // A damaged key is treated like a missing one, so that it does not block everything.
    if (stored.kind === 'absent' || Buffer.from(stored.value.reveal(), 'base64url').length !== keyBytes)
      return { kind: signedList.kind === 'found' ? 'lost' : 'absent' };
    // The folder was moved. If this cannot be stored now, the next start repeats it.
    if (signedList.kind === 'absent') await secretStore.set(folderItem, new Secret(installId));
    key = stored.value;
    return { kind: 'ready' };
  };
  const compute = (text: string): string => {
    if (!key) throw new Error('the key of the list was not read');
    // The prefix separates these MACs from any other use of the key.
    return createHmac('sha256', Buffer.from(key.reveal(), 'base64url'))
      .update(`keybridge server 1\n${text}`)
      .digest('base64url');
  };
  return {
    read,
    generate() {
      key = new Secret(randomBytes(keyBytes).toString('base64url'));
    },
    async store() {
      const generated = key;
      if (!generated) return { kind: 'unavailable', detail: 'there is no key of the list' };
      key = undefined;
      const keyStored = await secretStore.set(keyItem, generated);
      if (keyStored.kind !== 'done') return keyStored;
      const folderStored = await secretStore.set(folderItem, new Secret(installId));
      if (folderStored.kind !== 'done') return folderStored;
      const readBack = await read();
      if (readBack.kind === 'ready') return { kind: 'done' };
      return readBack.kind === 'absent' || readBack.kind === 'lost'
        ? { kind: 'unavailable', detail: 'the store did not keep what was written' }
        : (readBack as StoreFault);
    },
    compute,
    verify(text, mac) {
      const [expected, actual] = [Buffer.from(compute(text)), Buffer.from(typeof mac === 'string' ? mac : '')];
      return expected.length === actual.length && timingSafeEqual(expected, actual);
    },
  };
}
