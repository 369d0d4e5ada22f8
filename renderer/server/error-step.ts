import type { ErrorCode } from '../../shared/errors.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { messages } from '../messages.ts';
import { settingOf } from './settings/setting-of.ts';

/**
 * What a person can do about an error on the server's page, besides the state's own next step. `field`: where it is
 * done.
 */
export function errorStep(error: ErrorInfo): { readonly words: string; readonly field: string } | undefined {
  const { errorSteps: words } = messages;
  // Nobody should sign in where a server leads to addresses like these.
  if (error.code === 'E_ENDPOINT_REFUSED' || error.code === 'E_ADDRESS_REFUSED')
    return { words: words.leave, field: 'leave' };
  const field = settingOf(error);
  return field === undefined ? undefined : { words: wordsFor[error.code] ?? words.setting, field };
}

const wordsFor: Readonly<Partial<Record<ErrorCode, string>>> = {
  E_CLIENT_ID_NEEDED: messages.errorSteps.clientId,
  E_REGISTRATION_REFUSED: messages.errorSteps.clientId,
  E_REGISTRATION_INVALID: messages.errorSteps.clientId,
  E_ISSUER_MISMATCH: messages.errorSteps.issuers,
  E_METADATA_MISSING: messages.errorSteps.way,
  E_SECRET_AGAIN: messages.errorSteps.secret,
  E_TLS: messages.errorSteps.certificate,
};
