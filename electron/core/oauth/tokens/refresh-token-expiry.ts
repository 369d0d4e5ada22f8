import type { Tokens } from '../model.ts';

/** How long before a sign-in ends its person is told: there has to be a working day in it. */
const warningMs = 24 * 60 * 60 * 1000;

/**
 * When a sign-in will end that is not renewed by a person, by what the server says of the refresh token's life: Unix
 * ms. Undefined: it says nothing, or so short a time that it can only mean how long nobody may use it.
 */
export function endOf({ refreshExpiresInMs = 0 }: Pick<Tokens, 'refreshExpiresInMs'>, now: number): number | undefined {
  return refreshExpiresInMs > warningMs ? now + refreshExpiresInMs : undefined;
}

/**
 * After a refresh: a new token has its own life or an unknown one; without one the old token goes on, and so does its
 * end.
 */
export function endAfterRefresh(before: number | undefined, tokens: Tokens, now: number): number | undefined {
  return tokens.refreshToken || tokens.refreshExpiresInMs !== undefined ? endOf(tokens, now) : before;
}

/** True: it is time to say so. */
export const endsSoon = (endsAt: number, now: number): boolean => endsAt - now <= warningMs;
