import type { Status } from '../../shared/model.ts';
import { unlockStore } from '../acts.ts';
import { messages } from '../messages.ts';
import { storeTrouble } from '../sentences.ts';
import { Banner, ErrorWords } from '../parts/banner.tsx';
import { Button } from '../parts/button.tsx';
import { useShell } from '../shell.ts';
import { SetAsideServers } from './set-aside.tsx';

/** What is wrong with Keybridge itself, above the list: the store of secrets, the file of servers. */
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
              {status.store.state === 'locked' ? messages.trouble.unlock : messages.trouble.tryAgain}
            </Button>
          }
        >
          <p>{unlocking ? messages.trouble.unlocking : trouble.text}</p>
        </Banner>
      )}
      <SetAsideServers setAside={status.setAside ?? []} />
      {status.notice && (
        <Banner tone="attention" title={messages.servers.noticeTitle}>
          <ErrorWords error={status.notice} />
        </Banner>
      )}
    </>
  );
}
