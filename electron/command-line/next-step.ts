import type { ServerStatus } from '../../shared/model.ts';
import { nextStep } from '../../shared/server-state.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { t } from './text.ts';

/** What to do next about a server, as a command to run. */
export function nextStepText({ name, state, account }: ServerStatus): string {
  const entry = account && !account.isDefault ? `${name} --account ${account.name}` : name;
  const step = nextStep(state);
  if (step === 'check') return t('cli.next.check', { entry });
  if (step === 'sign_in') return t('cli.next.signIn', { entry });
  return t('cli.next.connect', { entry });
}

/** Whether a call to this server would succeed, as an exit code. */
export function readiness({ state }: ServerStatus): ExitCode {
  if (state.kind === 'store_blocked') return exitCodes.store;
  if (state.kind === 'not_checked') return exitCodes.unreachable;
  return nextStep(state) === undefined || state.kind === 'retrying' || state.kind === 'signed_in'
    ? exitCodes.ok
    : exitCodes.signInNeeded;
}
