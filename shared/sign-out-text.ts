import { signOutMessages } from './messages/en/sign-out.ts';
import { translator } from './messages/translator.ts';
import type { SignOutReport } from './model.ts';

const { t } = translator(signOutMessages);

export const signedOutTitle = (name: string): string => t('signedOut.title', { name });

/** What signing out did, in sentences. `detail` of the report is text from outside and not sanitized here. */
export function signOutText({ revoked, deleted, registration, company, detail }: SignOutReport): string {
  const sentences = [
    t(`revoked.${revoked}`),
    deleted ? '' : t('signedOut.notDeleted'),
    registration === undefined ? '' : t(`registration.${registration}`),
    company === undefined ? '' : t(`company.${company}`),
    detail ?? '',
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}
