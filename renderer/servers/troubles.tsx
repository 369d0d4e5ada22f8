import type { Status } from '../../shared/model.ts';
import { unlockStore } from '../server-actions.ts';
import { storeTrouble } from '../state-sentence.ts';
import { Banner, ErrorText } from '../parts/banner.tsx';
import { Button } from '../parts/button.tsx';
import { useShell } from '../shell.ts';
import { SetAsideServers } from './set-aside.tsx';
import { t } from '../text.ts';

/** Problems of Keybridge itself, above the list: the secret store and the file of servers. */
export function Troubles({ status }: { readonly status: Status }) {
  const shell = useShell();
  const trouble = storeTrouble(status.store);
  const unlocking = shell.running('unlockStore');
  return (
    <>
      {trouble && (
        <Banner
          tone="blocked"
          title={trouble.title}
          action={
            <Button busy={unlocking} onClick={() => unlockStore(shell)}>
              {status.store.state === 'locked' ? t('trouble.unlock') : t('trouble.tryAgain')}
            </Button>
          }
        >
          <p>{unlocking ? t('trouble.unlocking') : trouble.text}</p>
        </Banner>
      )}
      <SetAsideServers setAside={status.setAside ?? []} />
      {status.notice && (
        <Banner tone="attention" title={t('servers.noticeTitle')}>
          <ErrorText error={status.notice} />
        </Banner>
      )}
    </>
  );
}
