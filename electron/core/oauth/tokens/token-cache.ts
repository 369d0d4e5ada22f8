import type { AppError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import { createCachedToken, type CachedToken, type CachedTokenOptions } from './cached-token.ts';

/** The access token of one credential in memory. */
export interface TokenCache {
  readonly current: CachedToken | undefined;
  /** Replaces the token. `lifeMs`: undefined when unknown. Returns an error when the token must not be sent. */
  set(token: Secret, lifeMs?: number, header?: string): AppError | undefined;
  /** Checks the token by the current settings. Returns an error when it must not be sent (audience.ts). */
  audienceFault(): AppError | undefined;
  clear(): void;
}

export interface TokenCacheDeps extends Pick<CachedTokenOptions, 'clock' | 'random' | 'onDue' | 'onExpired'> {
  readonly id: string;
  readonly log: Log;
  readonly audienceFault: (credentialId: string, token: Secret) => AppError | undefined;
  /** True for a key that the user entered: it is bound to its origin, so its content is not checked. */
  readonly isKey: () => boolean;
}

export function createTokenCache({ id, log, isKey, ...deps }: TokenCacheDeps): TokenCache {
  let current: CachedToken | undefined;
  const audienceFault = () => (current && !isKey() ? deps.audienceFault(id, current.token) : undefined);
  return {
    get current() {
      return current;
    },
    set(token, lifeMs, header) {
      current?.drop();
      current = createCachedToken({ ...deps, token, lifeMs, header });
      const withheld = audienceFault();
      if (withheld) log('token_kept_back', { credential: id, code: withheld.code });
      return withheld;
    },
    audienceFault,
    clear() {
      current?.drop();
      current = undefined;
    },
  };
}
