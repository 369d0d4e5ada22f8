import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { displayUrl } from '../endpoint-url.ts';
import { fetchDocument, parseMetadata, startRun } from '../discovery/metadata.ts';
import { type Deadline, deadlineIn, type Clock } from '../../base/clock.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';

/** Where to find the keys of an issuer. */
export interface KeyLocation {
  /** The account's identifier: one account never uses keys that were fetched for another. */
  readonly owner: string;
  /** `jwks_uri`, checked by discovery. */
  readonly uri: string;
  readonly http: Http;
  readonly allow: AddressPolicy;
  readonly signal?: AbortSignal;
}

/** Public keys of authorization servers (RFC 7517), cached for ten minutes. */
export interface KeySets {
  /**
   * Returns a function that finds the key of a signature for jose. It fetches the keys again if a key is missing from
   * the cache, because issuers rotate keys. The function throws AppError if the keys cannot be fetched, and jose's
   * errors if none matches.
   */
  keysAt(location: KeyLocation): JWTVerifyGetKey;
}

const cacheMs = 10 * 60 * 1000;
const fetchTimeoutMs = 5_000;
/** Large providers publish about ten. */
const maxKeys = 50;

const Keys = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(maxKeys) });

export function createKeySets(clock: Clock): KeySets {
  const cache = new Map<string, { readonly find: JWTVerifyGetKey; readonly expires: Deadline }>();
  return {
    keysAt: (location) => async (header, token) => {
      const name = `${location.owner} ${location.uri}`;
      const cached = cache.get(name);
      if (cached && cached.expires.leftMs() > 0) {
        try {
          return await cached.find(header, token);
        } catch (error) {
          if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        }
      }
      const find = createLocalJWKSet(await fetchKeys(location));
      cache.set(name, { find, expires: deadlineIn(clock, cacheMs) });
      return find(header, token);
    },
  };
}

async function fetchKeys({ uri, http, allow, signal }: KeyLocation): Promise<JSONWebKeySet> {
  const url = new URL(uri);
  const document = await fetchDocument(startRun(http, allow, fetchTimeoutMs, signal), url);
  if (document.kind === 'absent') throw new AppError('E_METADATA_MISSING', `There are no keys at ${displayUrl(url)}.`);
  if (document.kind !== 'found') throw document.error;
  return parseMetadata(Keys, document.value, url);
}
