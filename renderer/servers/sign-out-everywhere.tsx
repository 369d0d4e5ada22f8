import { useState } from 'react';
import type { Status } from '../../shared/model.ts';
import { after } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { everywhereConsequences, signedInSomewhere } from '../consequences.ts';
import { signedOutEverywhereNotice } from '../sign-out-notices.ts';
import { useShell } from '../shell.ts';
import { t } from '../text.ts';

/** Below the list: ends every sign-in, after stating the consequences. Hidden if nobody is signed in. */
export function SignOutEverywhere({ status }: { readonly status: Status }) {
  const { run, running, show } = useShell();
  const [asking, setAsking] = useState(false);
  const busy = running('signOutEverywhere');
  if (!busy && !status.servers.some(signedInSomewhere)) return null;
  const signOut = () => {
    setAsking(false);
    show(undefined);
    after(run('signOutEverywhere', undefined), (reply) => {
      show(
        reply.ok
          ? signedOutEverywhereNotice(reply.value)
          : { kind: 'error', title: t('everywhere.failedAltogether'), error: reply.error },
      );
    });
  };
  return (
    <div className="list-foot">
      <Button small kind="quiet" busy={busy} onClick={() => setAsking(true)}>
        {t('servers.signOutEverywhere')}
      </Button>
      {asking && (
        <ConfirmDialog
          title={t('everywhere.title')}
          consequences={everywhereConsequences(status)}
          confirm={t('everywhere.confirm')}
          onConfirm={signOut}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}
