import { useState, type FormEvent } from 'react';
import type { ServerDetail, ServerStatus } from '../../shared/model.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { after } from '../api.ts';
import { useServerActions } from '../server-actions.ts';
import { NoticeBanner } from '../parts/banner.tsx';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { TextField } from '../parts/field.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { CheckIcon } from '../parts/icons.tsx';
import { ScrollingCode } from '../parts/scrolling.tsx';
import { useShell } from '../shell.ts';
import { ConfirmHosts } from './confirm-hosts.tsx';
import { PageError } from './page-error.tsx';
import { UserCode } from './user-code.tsx';
import { rich, t } from '../text.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';

type SigningIn = Extract<SignInState, { kind: 'signing_in' }>;

/** A running sign-in: its step, and what to do if the browser fails. */
export function SignInWait({
  server,
  state,
  detail,
}: {
  readonly server: ServerStatus;
  readonly state: SigningIn;
  readonly detail: ServerDetail | undefined;
}) {
  const { url, browserFailed, userCode } = state;
  return (
    <div className="state-extra wait">
      <Steps step={state.step === 'confirm' ? 'discover' : state.step} />
      {state.step === 'confirm' && state.confirm && <ConfirmHosts server={server} hosts={state.confirm} />}
      {state.otherHosts && state.step !== 'confirm' && <OtherHosts hosts={state.otherHosts} />}
      {state.step === 'browser' && url !== undefined && (
        <>
          {userCode === undefined ? (
            <BrowserWait server={server} url={url} browserFailed={browserFailed ?? false} detail={detail} />
          ) : (
            <UserCode code={userCode} url={url} endsAt={state.endsAt} />
          )}
          {server.account && <p className="hint">{t('accounts.otherPerson')}</p>}
        </>
      )}
    </div>
  );
}

/** Repeated from adding the server, because the hosts may have changed since. */
function OtherHosts({ hosts }: { readonly hosts: readonly string[] }) {
  return <p className="hint">{rich('sentence.otherHosts', { hosts: <Foreign text={hosts.join(', ')} /> })}</p>;
}

/** While the page is open in the browser: the link, for another browser or if it did not open. */
function BrowserWait({
  server,
  url,
  browserFailed,
  detail,
}: {
  readonly server: ServerStatus;
  readonly url: string;
  readonly browserFailed: boolean;
  readonly detail: ServerDetail | undefined;
}) {
  return (
    <>
      {browserFailed && (
        <div className="open-yourself">
          <p>{t('server.openYourself')}</p>
          <ScrollingCode className="page-address">
            <Foreign text={url} />
          </ScrollingCode>
        </div>
      )}
      <CopyButton text={url} kind={browserFailed ? 'primary' : 'plain'} small={!browserFailed}>
        {t('server.copyLink')}
      </CopyButton>
      <PasteAddress server={server} />
      <PageError server={server} detail={detail} />
    </>
  );
}

type Step = Exclude<SigningIn['step'], 'confirm'>;

const steps: readonly Step[] = ['discover', 'register', 'browser', 'exchange'];

function Steps({ step }: { readonly step: Step }) {
  const at = steps.indexOf(step);
  return (
    <ol className="steps" aria-label={t('server.stepsLabel')}>
      {steps.map((one, index) => (
        <li key={one} className={stepLook(index, at)} aria-current={index === at ? 'step' : undefined}>
          <span className="step-sign">{index < at ? <CheckIcon size={12} /> : index + 1}</span>
          {t(`steps.${one}`)}
        </li>
      ))}
    </ol>
  );
}

function stepLook(index: number, at: number): string {
  if (index < at) return 'step step-done';
  return index === at ? 'step step-now' : 'step';
}

/** For a browser on another computer, or one that cannot reach this one. */
function PasteAddress({ server }: { readonly server: ServerStatus }) {
  const { running } = useShell();
  const actions = useServerActions(server);
  const [address, setAddress] = useState('');
  const [error, setError] = useState<ErrorInfo>();
  const finish = (event: FormEvent) => {
    event.preventDefault();
    if (address.trim() === '') return;
    setError(undefined);
    after(actions.finishSignIn(address.trim()), (reply) => {
      if (!reply.ok) setError(reply.error);
    });
  };
  return (
    <details className="more">
      <summary>{t('server.pasteTitle')}</summary>
      <form onSubmit={finish}>
        <p className="hint">{t('server.pasteText')}</p>
        <TextField
          label={t('server.pasteLabel')}
          value={address}
          onChange={setAddress}
          maxLength={32_000}
          invalid={error !== undefined}
          mono
          required
        >
          <Button submit busy={running('finishSignIn', server.id)}>
            {t('server.pasteFinish')}
          </Button>
        </TextField>
        {error && <NoticeBanner notice={{ kind: 'error', title: t('failed.finish'), error }} />}
      </form>
    </details>
  );
}
