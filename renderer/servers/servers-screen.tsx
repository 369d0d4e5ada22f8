import { useEffect, useRef } from 'react';
import type { Status } from '../../shared/model.ts';
import { overallText } from '../../shared/state-text.ts';
import { storeSentence } from '../state-sentence.ts';
import { Button } from '../parts/button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { LockIcon, PlusIcon } from '../parts/icons.tsx';
import type { Screen } from '../screen.ts';
import { useShell } from '../shell.ts';
import { grouped } from '../status.ts';
import { EmptyList } from './empty-list.tsx';
import { openButtonId, ServerList } from './server-list.tsx';
import { SignOutEverywhere } from './sign-out-everywhere.tsx';
import { Troubles } from './troubles.tsx';
import { t } from '../text.ts';

/** The home screen: the overall state, and the list of servers with the next step of each. */
export function ServersScreen({
  status,
  cameFrom,
}: {
  readonly status: Status;
  readonly cameFrom?: Screen | undefined;
}) {
  const heading = useFocusOnReturn(cameFrom);
  const { go } = useShell();
  const { needYou, others } = grouped(status.servers);
  const empty = status.servers.length === 0 && (status.setAside ?? []).length === 0;
  const store = (
    <p className="store-line">
      <LockIcon size={16} />
      <Foreign text={storeSentence(status.store)} />
    </p>
  );
  return (
    <div className="page">
      <Troubles status={status} />
      {empty ? (
        <EmptyList>{store}</EmptyList>
      ) : (
        <>
          <div className="page-head">
            <div>
              <h1 ref={heading} tabIndex={-1}>
                {overallText(status)}
              </h1>
              {store}
            </div>
            <Button kind="primary" onClick={() => go({ at: 'add_server' })}>
              <PlusIcon size={18} />
              {t('servers.add')}
            </Button>
          </div>
          {needYou.length > 0 && others.length > 0 ? (
            <>
              <ServerList title={t('servers.needYou')} servers={needYou} />
              <ServerList title={t('servers.others')} servers={others} />
            </>
          ) : (
            status.servers.length > 0 && (
              <ServerList title={t('servers.title')} hideTitle servers={[...needYou, ...others]} />
            )
          )}
          <SignOutEverywhere status={status} />
        </>
      )}
    </div>
  );
}

/** After returning from a server's page, focuses its row, or the heading if there is no row. */
function useFocusOnReturn(cameFrom: Screen | undefined) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (cameFrom === undefined) return;
    const row = 'server' in cameFrom ? document.getElementById(openButtonId(cameFrom.server)) : null;
    (row ?? heading.current)?.focus();
  }, [cameFrom]);
  return heading;
}

/** Shown for the moment until the first state has come. */
export function ServersLoading() {
  return (
    <div className="page" aria-busy="true">
      <h1 className="only-heard">{t('servers.title')}</h1>
      <output className="only-heard">{t('common.loading')}</output>
      <div className="page-head">
        <span className="bone bone-title" />
      </div>
      <div className="list bones">
        {[1, 2, 3].map((row) => (
          <div key={row} className="row">
            <span className="bone bone-glyph" />
            <span className="bone-lines">
              <span className="bone" />
              <span className="bone bone-short" />
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}
