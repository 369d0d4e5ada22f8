import type { ServerDetail, ServerStatus } from '../../shared/model.ts';
import { recheckableCodes, nextStep, stateTone, nameWithAccount } from '../../shared/server-state.ts';
import { stateDetail, stateLabel } from '../../shared/state-text.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { useServerActions } from '../server-actions.ts';
import { stateSentence } from '../state-sentence.ts';
import { ErrorText } from '../parts/banner.tsx';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { PersonIcon } from '../parts/icons.tsx';
import { nextStepText } from '../parts/next-step.tsx';
import { StateGlyph } from '../parts/state-glyph.tsx';
import { revealField } from './settings/setting-of.ts';
import { errorStep } from './error-step.ts';
import { useShell } from '../shell.ts';
import { AcceptAudience } from './accept-audience.tsx';
import { AccessRequest } from './access-request.tsx';
import { SignInWait } from './sign-in-wait.tsx';
import { TokenLife } from './token-life.tsx';
import { rich, t } from '../text.ts';

/** The state of a server and its next step. */
export function StatePanel({
  server,
  detail,
}: {
  readonly server: ServerStatus;
  readonly detail: ServerDetail | undefined;
}) {
  const { now } = useShell();
  const { state } = server;
  const detailText = stateDetail(state, now);
  return (
    <section className={`card state-panel tone-${stateTone(state)}`} aria-labelledby="state-title">
      <div className="state-head">
        <StateGlyph state={state} large />
        <div className="state-words">
          <h2 id="state-title">
            {detailText === ''
              ? stateLabel(state)
              : rich('state.withDetail', {
                  state: stateLabel(state),
                  detail: <span className="state-detail">{detailText}</span>,
                })}
          </h2>
          <p>{stateSentence(state)}</p>
          {(server.identity !== undefined || state.kind === 'signed_in') && (
            <p className="account">
              <PersonIcon size={16} />
              <span className="only-heard">{t('server.account')} </span>
              {server.identity === undefined ? (
                <span className="quiet">{t('server.accountUnknown')}</span>
              ) : (
                <Foreign text={server.identity} />
              )}
            </p>
          )}
        </div>
        <StateAction server={server} detail={detail} />
      </div>
      {'error' in state && state.kind !== 'needs_access' && (
        <ErrorText
          error={state.error}
          about={`${nameWithAccount(server)}, ${server.url}`}
          action={detail && <ErrorAction error={state.error} detail={detail} />}
        />
      )}
      {state.kind === 'needs_access' && <AccessRequest state={state} />}
      {state.kind === 'signing_in' && <SignInWait server={server} state={state} detail={detail} />}
      {(state.kind === 'signed_in' || state.kind === 'retrying') && <TokenLife state={state} detail={detail} />}
    </section>
  );
}

/** Leads to the field that fixes the error, and offers what must be copied elsewhere. */
function ErrorAction({ error, detail }: { readonly error: ErrorInfo; readonly detail: ServerDetail }) {
  if (error.audience !== undefined) return <AcceptAudience detail={detail} audience={error.audience} />;
  const step = errorStep(error);
  return (
    <>
      {error.redirectUri !== undefined && (
        <CopyButton small text={error.redirectUri}>
          {t('errorSteps.copyRedirect')}
        </CopyButton>
      )}
      {step && (
        <Button small kind="primary" onClick={() => revealField(step.field)}>
          {step.words}
        </Button>
      )}
    </>
  );
}

/** Whether the sign-in opens a web page. */
function takesPerson({ settings: { grant } }: ServerDetail): boolean {
  return grant === undefined || grant === 'authorization_code' || grant === 'enterprise_managed';
}

/** The action that accepts or fixes an error stands beside the error. A check sends no credentials. */
function ReviewAction({ server }: { readonly server: ServerStatus }) {
  const { running } = useShell();
  const actions = useServerActions(server);
  const code = server.state.kind === 'needs_sign_in' ? server.state.error.code : '';
  if (recheckableCodes.has(code)) {
    return (
      <Button busy={running('checkServer', server.id)} onClick={actions.check}>
        {t('server.checkAgain')}
      </Button>
    );
  }
  // Only another sign-in can show whether the next answer comes from the right place.
  return code === 'E_ISS_MISMATCH' ? (
    <Button busy={running('signIn', server.id)} onClick={actions.signIn}>
      {t('trouble.tryAgain')}
    </Button>
  ) : null;
}

function StateAction({ server, detail }: { readonly server: ServerStatus; readonly detail: ServerDetail | undefined }) {
  const { running } = useShell();
  const actions = useServerActions(server);
  const { state } = server;
  switch (nextStep(state)) {
    case undefined:
      // It may want one for some calls only.
      if (state.kind === 'open') {
        return (
          <Button kind="quiet" busy={running('signIn', server.id)} onClick={actions.signIn}>
            {t('server.signIn')}
          </Button>
        );
      }
      return state.kind === 'signed_in' && state.renewable ? (
        <Button kind="quiet" busy={running('refreshNow', server.id)} onClick={actions.refreshNow}>
          {t('server.refreshNow')}
        </Button>
      ) : null;
    case 'check':
      return (
        <Button kind="primary" busy={running('checkServer', server.id)} onClick={actions.check}>
          {t('server.checkNow')}
        </Button>
      );
    case 'sign_in':
      return (
        <div className="state-buttons">
          {detail && takesPerson(detail) && (
            <Button kind="quiet" onClick={actions.signInByLink} label={t('server.signInByLinkLabel')}>
              {t('server.signInByLink')}
            </Button>
          )}
          {/* Where a setting is the way on, it comes first. */}
          <Button
            kind={'error' in state && errorStep(state.error) ? 'plain' : 'primary'}
            busy={running('signIn', server.id)}
            onClick={actions.signIn}
          >
            {t('server.signIn')}
          </Button>
        </div>
      );
    case 'review_access':
      return (
        <div className="state-buttons">
          <Button kind="quiet" busy={running('dismissAccess', server.id)} onClick={actions.dismissAccess}>
            {t('access.notNow')}
          </Button>
          <Button kind="primary" busy={running('signIn', server.id)} onClick={actions.signIn}>
            {t('access.allow')}
          </Button>
        </div>
      );
    case 'review_token':
      return <ReviewAction server={server} />;
    case 'try_now':
      return (
        <Button busy={running('refreshNow', server.id)} onClick={actions.refreshNow}>
          {t('server.tryNow')}
        </Button>
      );
    case 'cancel':
      return (
        <Button busy={running('cancelSignIn', server.id)} onClick={actions.cancelSignIn}>
          {t('server.cancel')}
        </Button>
      );
    case 'unlock':
      return (
        <Button kind="primary" busy={running('unlockStore')} onClick={actions.unlock}>
          {nextStepText(state)}
        </Button>
      );
  }
}
