import { signOutMessages } from './messages/en/sign-out.ts';
import { translator } from './messages/translator.ts';
import type { SignOutReport } from './model.ts';

const { t } = translator(signOutMessages);

export const signedOutTitle = (name: string): string => t('signedOut.title', { name });

/**
 * What signing out did, in sentences. `detail` of the report explains what did not work, and so takes the place of the
 * general sentence about that. It is text from outside and not sanitized here.
 */
export function signOutText(report: SignOutReport): string {
  const { registration, company, detail } = report;
  const sentences = [
    ...revocationSentences(report),
    registration === undefined ? '' : t(`registration.${registration}`),
    company === undefined ? '' : t(`company.${company}`),
    detail ?? '',
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

function revocationSentences({ revoked, deleted, detail }: SignOutReport): string[] {
  const isExplained = detail !== undefined;
  const revocation = t(`revoked.${revoked}`);
  if (!deleted) return isExplained ? [revocation] : [revocation, t('signedOut.notDeleted')];
  if (revoked === 'failed') return isExplained ? [t('signedOut.deleted')] : [t('signedOut.deleted'), revocation];
  return revoked === 'not_offered' ? [t('signedOut.deleted'), revocation] : [revocation];
}
