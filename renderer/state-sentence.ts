import type { StoreStatus } from '../shared/model.ts';
import { isTokenWithheld } from '../shared/server-state.ts';
import { t } from './text.ts';
import type { SignInState } from '../shared/sign-in-state.ts';

/** Where refresh tokens are kept, in one line. */
export const storeSentence = (store: StoreStatus): string =>
  store.name === 'memory' ? t('store.memory') : t('store.keychain', { store: store.label });

/** What is wrong with the store of secrets, and what to do; undefined while it is ready. */
export function storeTrouble({ state }: StoreStatus): { readonly title: string; readonly text: string } | undefined {
  if (state === 'ready') return undefined;
  return { title: t(`store.${state}.title`), text: t(`store.${state}.text`) };
}

/** What a state means, in a sentence or two; an error adds its own words. */
export function stateSentence(state: SignInState): string {
  switch (state.kind) {
    case 'signing_in':
      return signingInSentence(state);
    case 'signed_in':
      if (state.endsAt !== undefined) return t('sentence.endsSoon');
      return state.renewable ? t('sentence.renewable') : t('sentence.notRenewable');
    case 'needs_sign_in':
      return isTokenWithheld(state) ? t('sentence.tokenWithheld') : t('sentence.needs_sign_in');
    case 'open':
    case 'not_checked':
    case 'not_signed_in':
    case 'signed_out':
    case 'retrying':
    case 'needs_access':
    case 'store_blocked':
      return t(`sentence.${state.kind}`);
  }
}

function signingInSentence(state: Extract<SignInState, { kind: 'signing_in' }>): string {
  if (state.step === 'confirm') return t('sentence.confirm');
  if (state.step !== 'browser') return t('sentence.wait');
  if (state.userCode !== undefined) return t('sentence.userCode');
  return state.browserFailed ? t('sentence.browserFailed') : t('sentence.browser');
}
