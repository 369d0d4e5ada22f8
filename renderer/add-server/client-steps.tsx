import type { ReactNode } from 'react';
import type { Discovered } from '../../shared/model.ts';
import { after } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { useShell } from '../shell.ts';
import { hostOf } from '../status.ts';
import { rich, t } from '../text.ts';

/**
 * The steps to get a client ID, in order: the provider's page, the redirect URI, the field for the ID (`children`).
 */
export function ClientSteps({ found, children }: { readonly found: Discovered; readonly children: ReactNode }) {
  return (
    <ol className="todo client-steps">
      <li>
        <ProviderStep found={found} />
      </li>
      {found.redirectUri !== undefined && (
        <li>
          <p>{t('clientSteps.redirect')}</p>
          <div className="device-line">
            <span className="device-url">
              <Foreign text={found.redirectUri} mono />
            </span>
            <CopyButton
              small
              text={found.redirectUri}
              label={t('common.labelled', { action: t('common.copy'), name: found.redirectUri })}
            >
              {t('common.copy')}
            </CopyButton>
          </div>
          <p className="hint">{t('clientSteps.redirectHint')}</p>
        </li>
      )}
      <li>
        <p>{t('clientSteps.paste')}</p>
        {children}
      </li>
    </ol>
  );
}

function ProviderStep({ found: { preset, providerPage, advice, issuer } }: { readonly found: Discovered }) {
  const { run, running, show } = useShell();
  if (preset === undefined || advice === undefined) {
    return (
      <p>
        {issuer === undefined
          ? t('clientSteps.register')
          : rich('clientSteps.registerAt', { host: <Foreign text={hostOf(issuer)} /> })}
      </p>
    );
  }
  const open = () =>
    after(run('openProviderPage', { preset }), (reply) => {
      if (!reply.ok) show({ kind: 'error', title: t('clientSteps.notOpened'), error: reply.error });
    });
  return (
    <>
      <p>
        <Foreign text={advice} />
      </p>
      {providerPage !== undefined && (
        <div className="device-line">
          <span className="device-url">
            <Foreign text={providerPage} mono />
          </span>
          <Button small busy={running('openProviderPage')} onClick={open}>
            {t('clientSteps.openPage', { provider: preset })}
          </Button>
        </div>
      )}
    </>
  );
}
