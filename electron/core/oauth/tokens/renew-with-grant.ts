import { defined } from '../../../../shared/defined.ts';
import { asAppError, type AppError } from '../../base/errors.ts';
import type { Credential } from '../../vault/credential.ts';
import type { RefreshOutcome, TokenClient } from '../model.ts';
import type { RefreshDeps, RefreshResult, RefreshSubject } from './model.ts';
import { quarantine } from './quarantine.ts';

/**
 * Without a refresh token, uses the secrets that the user entered again. No token is used up, so no journal is needed.
 */
export async function renewWithGrant(
  deps: RefreshDeps,
  subject: RefreshSubject,
  credential: Credential,
  client: TokenClient,
): Promise<RefreshResult> {
  const { grants, http, clock, log } = deps;
  try {
    if (credential.grant === 'static_header') {
      const { name, value } = await grants.header(credential);
      return { kind: 'access_only', accessToken: value, header: name };
    }
    await grants.prepare(credential);
    const outcome = await deps.refreshLimit.run(() => grants.requestToken(credential, client, { http, clock }));
    log('asked_again', { credential: credential.id, grant: credential.grant, outcome: outcome.kind });
    switch (outcome.kind) {
      case 'refreshed': {
        const { accessToken, expiresInMs } = outcome.tokens;
        return { kind: 'refreshed', accessToken, expiresInMs };
      }
      case 'unreachable':
        return failedBy(outcome);
      case 'client_refused':
        return { kind: 'client_refused', error: outcome.error };
      case 'rejected':
        return await subject.vaultLock.run(() => quarantine(deps, subject, credential, outcome.error));
    }
  } catch (error) {
    return classifyFailure(asAppError(error));
  }
}

export const failedBy = ({ error, refusal }: Extract<RefreshOutcome, { kind: 'unreachable' }>): RefreshResult => ({
  kind: 'failed',
  error,
  ...defined({ refusal }),
});

/** A user can correct these, here or, for a company's sign-in, in one place for all of its servers. */
const correctable: readonly string[] = ['E_BAD_INPUT', 'E_SIGN_IN_AGAIN', 'E_SECRET_AGAIN', 'E_HOSTS_UNCONFIRMED'];

/** The result when nothing was sent, because of the store, the entered secrets, or the network. */
export function classifyFailure(error: AppError): RefreshResult {
  if (error.code.startsWith('E_STORE_')) return { kind: 'blocked', error };
  return correctable.includes(error.code) ? { kind: 'ended', final: false, error } : { kind: 'failed', error };
}
