import { z } from 'zod';
import { ErrorInfo } from './reply.ts';

/** A host to which a sign-in leads, and what happens there. With its port where that is not the usual one. */
export const EndpointHost = z.object({
  what: z.enum([
    'page',
    'device',
    'issuer',
    'token',
    'pushed_request',
    'registration',
    'userinfo',
    'revocation',
    'introspection',
    'exchange',
  ]),
  host: z.string().max(300),
});
export type EndpointHost = z.infer<typeof EndpointHost>;

/** All of them, for one issuer. */
export const SignInHosts = z.object({ issuer: z.string().max(2_000), hosts: z.array(EndpointHost).max(20).readonly() });
export type SignInHosts = z.infer<typeof SignInHosts>;

/**
 * Where a server's sign-in stands. One of these at any time; window, tray and command line are functions of it.
 * Times are Unix milliseconds.
 */
export const SignInState = z.discriminatedUnion('kind', [
  /** Added; it has not answered yet, so nobody knows whether it wants a sign-in. Calls go out without a token. */
  z.object({ kind: z.literal('not_checked') }),
  /** It has answered MCP without a token, and never asked for a sign-in. Calls go out without a token. */
  z.object({ kind: z.literal('open') }),
  /** It wants a sign-in, and nobody has signed in with this account. */
  z.object({ kind: z.literal('not_signed_in') }),
  /** A person signed out. */
  z.object({ kind: z.literal('signed_out') }),
  /** A person is signing in right now. `url` is the page in the browser; present once it is open (or should be). */
  z.object({
    kind: z.literal('signing_in'),
    step: z.enum(['discover', 'confirm', 'register', 'browser', 'exchange']),
    startedAt: z.number(),
    url: z.string().optional(),
    /**
     * Hosts that see the sign-in besides the issuer's own: the page, or where the code or the tokens go. From
     * `register` on.
     */
    otherHosts: z.array(z.string()).optional(),
    /** Step `confirm`: the hosts that the person has to confirm (`confirmSignIn`) before anything goes there. */
    confirm: z.array(EndpointHost).optional(),
    /** To be entered at `url`, on whatever device (sign-in by device code). */
    userCode: z.string().optional(),
    /** When the code ends. */
    endsAt: z.number().optional(),
    /** Set when no browser could be opened: the user opens `url` by hand. */
    browserFailed: z.boolean().optional(),
  }),
  /** Usable. `expiresAt`: of the access token in memory; absent when none is there yet or its life is unknown. */
  z.object({
    kind: z.literal('signed_in'),
    expiresAt: z.number().optional(),
    /** When the refresh ahead of expiry will run; absent when no bridge is connected. */
    refreshAt: z.number().optional(),
    /** When the sign-in itself ends, for which no refresh helps; present from a day before. */
    endsAt: z.number().optional(),
    /** False: the sign-in ends with its access token (there is no refresh token). */
    renewable: z.boolean(),
  }),
  /** The refresh meets a passing fault. The sign-in is kept. */
  z.object({ kind: z.literal('retrying'), error: ErrorInfo, nextTryAt: z.number() }),
  /** Only a person can go on: the sign-in ended at the authorization server, or never finished. */
  z.object({ kind: z.literal('needs_sign_in'), error: ErrorInfo }),
  /** The server wants more scopes than were granted. */
  z.object({
    kind: z.literal('needs_access'),
    error: ErrorInfo,
    /** What is new. */
    scopes: z.array(z.string()),
    granted: z.array(z.string()).optional(),
    /** Whose calls asked for it, newest last. `operation`: a tool's name, or a method's. */
    askedBy: z.array(z.object({ host: z.string(), operation: z.string() })).optional(),
  }),
  /** The store of secrets cannot be read now. Nothing is lost. */
  z.object({ kind: z.literal('store_blocked'), error: ErrorInfo }),
]);
export type SignInState = z.infer<typeof SignInState>;
