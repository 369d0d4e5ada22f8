import { useState } from 'react';
import type { ServerDetail, StoreStatus } from '../../shared/model.ts';
import { nameWithAccount } from '../../shared/server-state.ts';
import { useServerActions } from '../server-actions.ts';
import { removeConsequences, signOutConsequences } from '../consequences.ts';
import { Button } from '../parts/button.tsx';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { useShell } from '../shell.ts';
import { t } from '../text.ts';

/** Sign out and remove, each with its consequences to confirm. */
export function LeaveSection({ detail, store }: { readonly detail: ServerDetail; readonly store: StoreStatus }) {
  const { running } = useShell();
  const [asking, setAsking] = useState<'sign_out' | 'remove'>();
  const { status } = detail;
  const actions = useServerActions(status);
  const close = () => setAsking(undefined);
  return (
    <section className="section leave" aria-labelledby="leave-title">
      <h2 id="leave-title">{t('server.leave')}</h2>
      <div className="leave-buttons" data-field="leave">
        {detail.signedInAt !== undefined && (
          <Button busy={running('signOut', status.id)} onClick={() => setAsking('sign_out')}>
            {t('server.signOut')}
          </Button>
        )}
        <Button kind="danger" busy={running('removeServer', status.id)} onClick={() => setAsking('remove')}>
          {status.account ? t('server.removeServer') : t('server.remove')}
        </Button>
      </div>
      {asking === 'sign_out' && (
        <ConfirmDialog
          title={t('signOut.title', { name: nameWithAccount(status) })}
          consequences={signOutConsequences(detail, store)}
          confirm={t('signOut.confirm')}
          onClose={close}
          onConfirm={() => {
            close();
            actions.signOut();
          }}
        />
      )}
      {asking === 'remove' && (
        <ConfirmDialog
          title={t('remove.title', { name: status.name })}
          consequences={removeConsequences(detail, store)}
          confirm={t('remove.confirm')}
          onClose={close}
          onConfirm={() => {
            close();
            actions.remove();
          }}
        />
      )}
    </section>
  );
}
