import type { AppError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import { createCachedToken, type CachedToken, type CachedTokenOptions } from './cached-token.ts';

/** The access token of one credential in memory. */
export interface TokenCache {
  readonly current: CachedToken | undefined;
  /** Replaces the token. Returns why it must not be sent (audience.ts). `lifeMs`: absent: unknown. */
  set(token: Secret, lifeMs?: number, header?: string): AppError | undefined;
  /** Why the token must not be sent, by the settings of now. */
  audienceFault(): AppError | undefined;
  clear(): void;
}

export interface TokenCacheDeps extends Pick<CachedTokenOptions, 'clock' | 'random' | 'onDue' | 'onExpired'> {
  readonly id: string;
  readonly log: Log;
  readonly audienceFault: (credentialId: string, token: Secret) => AppError | undefined;
  /** A key of the user is for the origin that it was entered for, whatever it says. */
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
