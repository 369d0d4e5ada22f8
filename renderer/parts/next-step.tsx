import type { ServerStatus } from '../../shared/model.ts';
import { nextStep, nameWithAccount } from '../../shared/server-state.ts';
import { nextStepLabel } from '../../shared/state-text.ts';
import { useServerActions } from '../server-actions.ts';
import { useShell } from '../shell.ts';
import { Button } from './button.tsx';
import { t } from '../text.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';

/** The one thing to do next about a server in the list. Where nothing is to be done: connect an app. */
export function NextStepButton({ server }: { readonly server: ServerStatus }) {
  const { go, running } = useShell();
  const actions = useServerActions(server);
  const step = nextStep(server.state);
  const words = step === undefined ? t('servers.connect') : nextStepText(server.state);
  const act = () => {
    switch (step) {
      case undefined:
        return go({ at: 'connect_app', server: server.id });
      case 'review_access':
      case 'review_token':
        return go({ at: 'server', server: server.id });
      case 'sign_in':
        return actions.signIn();
      case 'check':
        return actions.check();
      case 'try_now':
        return actions.refreshNow();
      case 'cancel':
        return actions.cancelSignIn();
      case 'unlock':
        return actions.unlock();
    }
  };
  const busy =
    (step === 'sign_in' && running('signIn', server.id)) ||
    (step === 'check' && running('checkServer', server.id)) ||
    (step === 'try_now' && running('refreshNow', server.id)) ||
    (step === 'cancel' && running('cancelSignIn', server.id)) ||
    (step === 'unlock' && running('unlockStore'));
  return (
    <Button
      small
      kind={looks[step ?? 'none']}
      busy={busy}
      onClick={act}
      label={t('common.labelled', { action: words, name: nameWithAccount(server) })}
    >
      {words}
    </Button>
  );
}

const looks = {
  sign_in: 'tinted',
  check: 'plain',
  review_access: 'tinted',
  review_token: 'tinted',
  unlock: 'tinted',
  try_now: 'plain',
  cancel: 'plain',
  none: 'quiet',
} as const;

/** A store that is not locked can only be tried again. */
export function nextStepText(state: SignInState): string {
  const step = nextStep(state);
  if (step === undefined) return '';
  if (state.kind === 'store_blocked' && state.error.code !== 'E_STORE_LOCKED') return t('trouble.tryAgain');
  return nextStepLabel(step);
}
