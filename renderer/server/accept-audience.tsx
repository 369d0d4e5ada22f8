import type { ServerDetail } from '../../shared/model.ts';
import { nameWithAccount } from '../../shared/server-state.ts';
import { after } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { useShell } from '../shell.ts';
import { t } from '../text.ts';

interface AcceptAudienceProps {
  readonly detail: ServerDetail;
  /** Exactly as the access token names it. */
  readonly audience: string;
}

/** The full audience, and a button that accepts only this one for this server. */
export function AcceptAudience({ detail, audience }: AcceptAudienceProps) {
  const { run, running, show } = useShell();
  const { id } = detail.status;
  const accept = () => {
    show(undefined);
    after(
      run('configureServer', { server: id, settings: { ...detail.settings, audienceException: audience } }),
      (reply) => {
        if (!reply.ok)
          show({
            kind: 'error',
            title: t('failed.acceptAudience', { name: nameWithAccount(detail.status) }),
            error: reply.error,
            server: id,
          });
      },
    );
  };
  return (
    <div className="seen-issuers">
      <dl>
        <dt>{t('audience.named')}</dt>
        <dd>
          <Foreign text={audience} mono />
        </dd>
      </dl>
      <Button small kind="primary" busy={running('configureServer', id)} onClick={accept}>
        {t('audience.accept')}
      </Button>
    </div>
  );
}
