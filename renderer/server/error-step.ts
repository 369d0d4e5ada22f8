import type { ErrorCode } from '../../shared/errors.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { settingOf } from './settings/setting-of.ts';
import { t } from '../text.ts';

/**
 * What a user can do about an error on the server's page, besides the state's own next step. `field`: where it is
 * done.
 */
export function errorStep(error: ErrorInfo): { readonly words: string; readonly field: string } | undefined {
  // Nobody should sign in where a server leads to addresses like these.
  if (error.code === 'E_ENDPOINT_REFUSED' || error.code === 'E_ADDRESS_REFUSED')
    return { words: t('errorSteps.leave'), field: 'leave' };
  const field = settingOf(error);
  return field === undefined ? undefined : { words: wordsFor[error.code] ?? t('errorSteps.setting'), field };
}

const wordsFor: Readonly<Partial<Record<ErrorCode, string>>> = {
  E_CLIENT_ID_NEEDED: t('errorSteps.clientId'),
  E_REGISTRATION_REFUSED: t('errorSteps.clientId'),
  E_REGISTRATION_INVALID: t('errorSteps.clientId'),
  E_ISSUER_MISMATCH: t('errorSteps.issuers'),
  E_METADATA_MISSING: t('errorSteps.way'),
  E_SECRET_AGAIN: t('errorSteps.secret'),
  E_TLS: t('errorSteps.certificate'),
};
