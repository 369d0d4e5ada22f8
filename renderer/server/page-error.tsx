import type { ServerDetail, ServerStatus } from '../../shared/model.ts';
import { useServerActions } from '../server-actions.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { revealField } from './settings/setting-of.ts';
import { t } from '../text.ts';

/**
 * The way back from an error page of the provider, which sends nothing to Keybridge: what may be wrong, and what to do.
 */
export function PageError({
  server,
  detail,
}: {
  readonly server: ServerStatus;
  readonly detail: ServerDetail | undefined;
}) {
  const actions = useServerActions(server);
  const entered = detail?.registration === 'configured';
  const change = () => {
    actions.cancelSignIn();
    revealField('clientId');
  };
  return (
    <details className="more">
      <summary>{t('server.errorPageTitle')}</summary>
      <div className="page-error">
        <p className="hint">{entered ? t('server.errorPageConfigured') : t('server.errorPageDynamic')}</p>
        {entered && detail.redirectUri !== undefined && (
          <div className="device-line">
            <span className="device-url">
              <Foreign text={detail.redirectUri} mono />
            </span>
            <CopyButton
              small
              text={detail.redirectUri}
              label={t('common.labelled', { action: t('common.copy'), name: detail.redirectUri })}
            >
              {t('common.copy')}
            </CopyButton>
          </div>
        )}
        {entered ? (
          <Button onClick={change}>{t('server.changeClientId')}</Button>
        ) : (
          <Button onClick={actions.startAgain}>{t('server.startAgain')}</Button>
        )}
      </div>
    </details>
  );
}
