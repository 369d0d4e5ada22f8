import { useEffect, useState } from 'react';
import type { HostSnippet, ServerStatus } from '../../shared/model.ts';
import { nameWithAccount } from '../../shared/server-state.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { after } from '../api.ts';
import { NoticeBanner } from '../parts/banner.tsx';
import { Page } from '../parts/page.tsx';
import { useShell } from '../shell.ts';
import { SnippetTabs } from './snippet-tabs.tsx';
import { t } from '../text.ts';

/** The entries that make apps use this server. */
export function ConnectAppScreen({ server }: { readonly server: ServerStatus }) {
  const { run } = useShell();
  const [snippets, setSnippets] = useState<readonly HostSnippet[]>();
  const [error, setError] = useState<ErrorInfo>();
  useEffect(() => {
    let current = true;
    after(run('hostSnippets', { server: server.id }), (reply) => {
      if (!current) return;
      if (reply.ok) setSnippets(reply.value);
      else setError(reply.error);
    });
    return () => {
      current = false;
    };
  }, [run, server.id]);
  return (
    <Page
      back={{ at: 'server', server: server.id }}
      backWords={nameWithAccount(server)}
      title={t('connect.title')}
      lead={t('connect.lead', { name: nameWithAccount(server) })}
    >
      {server.account && (
        <p className="hint connect-account">
          {server.account.isDefault
            ? t('connect.defaultAccount')
            : t('connect.oneAccount', { name: server.account.name })}
        </p>
      )}
      {error && <NoticeBanner notice={{ kind: 'error', title: t('connect.loadFailed'), error }} />}
      {snippets?.length === 0 && <p className="quiet">{t('connect.none')}</p>}
      {snippets && snippets.length > 0 && <SnippetTabs snippets={snippets} />}
      {!snippets && !error && <span className="bone bone-block" aria-busy="true" />}
    </Page>
  );
}
