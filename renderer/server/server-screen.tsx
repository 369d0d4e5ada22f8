import { useEffect, useState } from 'react';
import type { ServerDetail, ServerStatus, StoreStatus } from '../../shared/model.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { after } from '../api.ts';
import { displayName, type ServerAccounts } from '../../shared/server-state.ts';
import { NoticeBanner } from '../parts/banner.tsx';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { Page } from '../parts/page.tsx';
import { useShell } from '../shell.ts';
import { AccessSection } from './access-section.tsx';
import { AccountsSection, FirstAccountSection } from './accounts-section.tsx';
import { AppsSection } from './apps-section.tsx';
import { FactsSection } from './facts-section.tsx';
import { IdentitySection } from './identity-section.tsx';
import { LeaveSection } from './leave-section.tsx';
import type { KnownPreset } from './settings/compatibility-fields.tsx';
import { SettingsSection } from './settings/settings-section.tsx';
import { StatePanel } from './state-panel.tsx';
import { t } from '../text.ts';

/** Everything about one server that a user may see. */
export function ServerScreen({
  server,
  accounts,
  store,
}: {
  readonly server: ServerStatus;
  readonly accounts: ServerAccounts;
  readonly store: StoreStatus;
}) {
  const { go } = useShell();
  const { detail, error, reload } = useServerDetail(server);
  return (
    <Page
      back={{ at: 'servers' }}
      title={
        <>
          <Foreign text={displayName(server)} />{' '}
          {server.account && (
            <span className="title-account">
              <Foreign text={server.account.name} />
            </span>
          )}
        </>
      }
      aside={
        <Button kind="plain" onClick={() => go({ at: 'connect_app', server: server.id })}>
          {t('connect.title')}
        </Button>
      }
      lead={
        <span className="address-line">
          <Foreign text={server.url} mono />
          <CopyButton
            kind="quiet"
            small
            text={server.url}
            label={t('common.labelled', { action: t('common.copy'), name: server.url })}
          >
            {t('common.copy')}
          </CopyButton>
        </span>
      }
    >
      {accounts.length > 1 && <AccountsSection accounts={accounts} shown={server} detail={detail} store={store} />}
      <StatePanel server={server} detail={detail} />
      {error && <NoticeBanner notice={{ kind: 'error', title: t('server.loadFailed'), error }} />}
      {detail ? <ServerSections detail={detail} store={store} onSaved={reload} /> : !error && <DetailLoading />}
    </Page>
  );
}

function ServerSections({
  detail,
  store,
  onSaved,
}: {
  readonly detail: ServerDetail;
  readonly store: StoreStatus;
  readonly onSaved: () => void;
}) {
  const presets = usePresets();
  return (
    <>
      {detail.signedInAt === undefined ? (
        <AppsSection server={detail.status} />
      ) : (
        <div className="columns">
          <AccessSection detail={detail} />
          <AppsSection server={detail.status} />
        </div>
      )}
      <IdentitySection detail={detail} />
      <FactsSection detail={detail} />
      {detail.status.account === undefined && <FirstAccountSection server={detail.status} />}
      <SettingsSection detail={detail} presets={presets} onSaved={onSaved} />
      <LeaveSection detail={detail} store={store} />
    </>
  );
}

function DetailLoading() {
  return (
    <div className="columns" aria-busy="true">
      <span className="bone bone-block" />
      <span className="bone bone-block" />
    </div>
  );
}

/** The providers that Keybridge knows; empty until they are loaded. */
function usePresets(): readonly KnownPreset[] {
  const { run } = useShell();
  const [presets, setPresets] = useState<readonly KnownPreset[]>([]);
  useEffect(() => {
    let current = true;
    after(run('presets', undefined), (reply) => {
      if (current && reply.ok) setPresets(reply.value);
    });
    return () => {
      current = false;
    };
  }, [run]);
  return presets;
}

interface Loaded {
  readonly detail?: ServerDetail;
  readonly error?: ErrorInfo;
}

/** Loads again when the server's state changes; an older reply never replaces a newer one. */
function useServerDetail(server: ServerStatus): Loaded & { readonly reload: () => void } {
  const { run } = useShell();
  const [loaded, setLoaded] = useState<Loaded>({});
  const [round, setRound] = useState(0);
  const { id } = server;
  const state = JSON.stringify(server);
  useEffect(() => {
    let current = true;
    after(run('serverDetail', { server: id }), (reply) => {
      if (current) setLoaded(reply.ok ? { detail: reply.value } : { error: reply.error });
    });
    return () => {
      current = false;
    };
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- the state and the round say when to read again
  }, [run, id, state, round]);
  // The state itself comes from the stream, which is never older than the answer.
  const detail = loaded.detail && { ...loaded.detail, status: server };
  return { ...loaded, ...(detail ? { detail } : {}), reload: () => setRound((before) => before + 1) };
}
