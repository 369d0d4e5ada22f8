import type { Tokens } from '../model.ts';

/** How long before a sign-in ends the user is warned: long enough to include a working day. */
const warningMs = 24 * 60 * 60 * 1000;

/**
 * When the refresh token expires, in Unix ms. Returns undefined if the server states no lifetime, or one so short that
 * it can only be an idle time-out.
 */
export function endOf({ refreshExpiresInMs = 0 }: Pick<Tokens, 'refreshExpiresInMs'>, now: number): number | undefined {
  return refreshExpiresInMs > warningMs ? now + refreshExpiresInMs : undefined;
}

/** The end after a refresh: that of the new refresh token, or the old end when the server sent no new one. */
export function endAfterRefresh(before: number | undefined, tokens: Tokens, now: number): number | undefined {
  return tokens.refreshToken || tokens.refreshExpiresInMs !== undefined ? endOf(tokens, now) : before;
}

/** Whether to warn the user. Both in Unix ms. */
export const endsSoon = (endsAt: number, now: number): boolean => endsAt - now <= warningMs;
