import { z } from 'zod';
import { ErrorInfo } from './reply.ts';

/** A host that a sign-in uses, and for what. `host` includes the port unless it is the default one. */
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

/** All hosts that a sign-in at this issuer uses. */
export const SignInHosts = z.object({ issuer: z.string().max(2_000), hosts: z.array(EndpointHost).max(20).readonly() });
export type SignInHosts = z.infer<typeof SignInHosts>;

/** The state of an account's sign-in, which window, tray and command line show. Times are Unix milliseconds. */
export const SignInState = z.discriminatedUnion('kind', [
  /** The server has not answered yet, so it is unknown whether it needs a sign-in. Calls are sent without a token. */
  z.object({ kind: z.literal('not_checked') }),
  /** The server has answered without a token, and never asked for a sign-in. Calls are sent without a token. */
  z.object({ kind: z.literal('open') }),
  /** The server needs a sign-in, and nobody has signed in to this account. */
  z.object({ kind: z.literal('not_signed_in') }),
  /** The user signed out. */
  z.object({ kind: z.literal('signed_out') }),
  /** A sign-in is in progress. `url`: the page in the browser, present from step `browser` on. */
  z.object({
    kind: z.literal('signing_in'),
    step: z.enum(['discover', 'confirm', 'register', 'browser', 'exchange']),
    startedAt: z.number(),
    url: z.string().optional(),
    /** Other hosts than the issuer's that take part in the sign-in. Present from step `register` on. */
    otherHosts: z.array(z.string()).optional(),
    /** In step `confirm`: the hosts that the user has to confirm (`confirmSignIn`) before anything is sent to them. */
    confirm: z.array(EndpointHost).optional(),
    /** With the device grant: the code to enter at `url`, on any device. */
    userCode: z.string().optional(),
    /** When the code expires. */
    endsAt: z.number().optional(),
    /** No browser could be opened, so the user has to open `url`. */
    browserFailed: z.boolean().optional(),
  }),
  /** `expiresAt`: of the access token in memory; absent if there is none or its lifetime is unknown. */
  z.object({
    kind: z.literal('signed_in'),
    expiresAt: z.number().optional(),
    /** When the next refresh will run; absent if no bridge is connected. */
    refreshAt: z.number().optional(),
    /** When the sign-in itself ends, which no refresh can prevent. Present from a day before. */
    endsAt: z.number().optional(),
    /** False without a refresh token: the sign-in ends with its access token. */
    renewable: z.boolean(),
  }),
  /** The refresh failed for a transient reason, and is retried. */
  z.object({ kind: z.literal('retrying'), error: ErrorInfo, nextTryAt: z.number() }),
  /** The sign-in has ended at the authorization server, or has failed. The user has to sign in. */
  z.object({ kind: z.literal('needs_sign_in'), error: ErrorInfo }),
  /** The server asks for more scopes than were granted. */
  z.object({
    kind: z.literal('needs_access'),
    error: ErrorInfo,
    /** The missing scopes. */
    scopes: z.array(z.string()),
    granted: z.array(z.string()).optional(),
    /** The calls that need them, newest last. `operation`: the name of the tool, or the method. */
    askedBy: z.array(z.object({ host: z.string(), operation: z.string() })).optional(),
  }),
  /** The keychain cannot be read now. Nothing is lost. */
  z.object({ kind: z.literal('store_blocked'), error: ErrorInfo }),
]);
export type SignInState = z.infer<typeof SignInState>;
