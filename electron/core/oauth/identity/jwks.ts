import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { displayUrl } from '../endpoint-url.ts';
import { fetchDocument, parseMetadata, startRun } from '../discovery/metadata.ts';
import { type Deadline, deadlineIn, type Clock } from '../../base/clock.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';

/** The published keys of one issuer, for one account: what one account fetched, another does not rely on. */
export interface KeyPlace {
  readonly owner: string;
  /** `jwks_uri`, checked by discovery. */
  readonly uri: string;
  readonly http: Http;
  readonly allow: AddressPolicy;
  readonly signal?: AbortSignal;
}

/** Public keys of authorization servers (RFC 7517), kept for ten minutes. */
export interface KeySets {
  /**
   * Gives jose the key that a signature names. What is kept is asked first; a key that it lacks is looked for once more
   * at the issuer, since keys change. Throws AppError when the keys cannot be had, and jose's errors when none fits.
   */
  keysAt(place: KeyPlace): JWTVerifyGetKey;
}

const keptMs = 10 * 60 * 1000;
const fetchMs = 5_000;
/** Large providers publish about ten. */
const maxKeys = 50;

const Keys = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(maxKeys) });

export function createKeySets(clock: Clock): KeySets {
  const kept = new Map<string, { readonly find: JWTVerifyGetKey; readonly fresh: Deadline }>();
  return {
    keysAt: (at) => async (header, token) => {
      const name = `${at.owner} ${at.uri}`;
      const known = kept.get(name);
      if (known && known.fresh.leftMs() > 0) {
        try {
          return await known.find(header, token);
        } catch (error) {
          if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        }
      }
      const find = createLocalJWKSet(await fetchKeys(at));
      kept.set(name, { find, fresh: deadlineIn(clock, keptMs) });
      return find(header, token);
    },
  };
}

async function fetchKeys({ uri, http, allow, signal }: KeyPlace): Promise<JSONWebKeySet> {
  const url = new URL(uri);
  const document = await fetchDocument(startRun(http, allow, fetchMs, signal), url);
  if (document.kind === 'absent') throw new AppError('E_METADATA_MISSING', `There are no keys at ${displayUrl(url)}.`);
  if (document.kind !== 'found') throw document.error;
  return parseMetadata(Keys, document.value, url);
}
