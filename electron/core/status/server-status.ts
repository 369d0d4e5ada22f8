import type { ServerStatus } from '../../../shared/model.ts';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import type { AccessRequest } from './runtime-notes.ts';
import type { TokenState, SignInProgress } from '../oauth/model.ts';
import type { Server } from '../servers/server.ts';
import type { SignInState } from '../../../shared/sign-in-state.ts';

/** The inputs of a server's state. */
export interface StatusParts {
  readonly server: Server;
  readonly signIn: SignInProgress | undefined;
  /** Why the last sign-in failed, until the next one starts. */
  readonly lastFailure: AppError | undefined;
  readonly tokens: TokenState;
  /** Scopes that the server asked for and that are not granted. */
  readonly missingScopes: readonly string[];
  readonly grantedScopes: readonly string[];
  readonly accessRequests: readonly AccessRequest[];
  readonly identity: string | undefined;
  readonly hosts: readonly string[];
}

/** The STATUS PATH: the only place that decides a server's state. */
export function serverStatus(parts: StatusParts): ServerStatus {
  const status: ServerStatus = {
    id: parts.server.id,
    name: parts.server.name,
    url: parts.server.url,
    state: signInState(parts),
    hosts: [...parts.hosts],
  };
  const { name, isDefault, alone } = parts.server.account;
  if (!alone) status.account = { name, isDefault };
  if (parts.server.title !== undefined) status.title = parts.server.title;
  if (parts.identity !== undefined) status.identity = parts.identity;
  return status;
}

/** The state of a server that nobody is signed in to. */
function withoutSignIn({ signInRequired, openSeenAt, settings, signedOutAt }: Server): SignInState {
  // A user who chose a sign-in method wants to sign in, even if the server responds without a token.
  if (signInRequired || settings.grant !== undefined)
    return { kind: signedOutAt === undefined ? 'not_signed_in' : 'signed_out' };
  return { kind: openSeenAt === undefined ? 'not_checked' : 'open' };
}

function signInState(parts: StatusParts): SignInState {
  if (parts.signIn) return parts.signIn;
  const { tokens } = parts;
  switch (tokens.kind) {
    case 'none':
      if (parts.lastFailure) return { kind: 'needs_sign_in', error: parts.lastFailure.toInfo() };
      return withoutSignIn(parts.server);
    case 'blocked':
      return { kind: 'store_blocked', error: tokens.error.toInfo() };
    case 'ended':
      return { kind: 'needs_sign_in', error: tokens.error.toInfo() };
    case 'retrying':
      return { kind: 'retrying', error: tokens.error.toInfo(), nextTryAt: tokens.nextTryAt };
    case 'usable': {
      if (parts.missingScopes.length > 0) return needsAccess(parts);
      const state: SignInState = { kind: 'signed_in', renewable: tokens.renewable };
      if (tokens.expiresAt !== undefined) state.expiresAt = tokens.expiresAt;
      if (tokens.refreshAt !== undefined) state.refreshAt = tokens.refreshAt;
      if (tokens.endsAt !== undefined) state.endsAt = tokens.endsAt;
      return state;
    }
  }
}

function needsAccess({ server, missingScopes, grantedScopes, accessRequests }: StatusParts): SignInState {
  const notGranted = missingScopes.filter((scope) => !grantedScopes.includes(scope));
  const scopes = notGranted.length > 0 ? notGranted : [...missingScopes];
  return {
    kind: 'needs_access',
    error: scopeNeeded(scopes).about(server.name).toInfo(),
    scopes,
    granted: [...grantedScopes],
    askedBy: accessRequests.map(({ host, operation }) => ({ host, operation })),
  };
}

/** Returns E_SCOPE_NEEDED for a call that needs more scopes than were granted. */
export function scopeNeeded(scopes: readonly string[]): AppError {
  const which = scopes.length > 0 ? `: ${sanitizeExternalText(scopes.join(' '), 200)}` : ' than was granted';
  return new AppError('E_SCOPE_NEEDED', `The server asks for more access${which}.`);
}
