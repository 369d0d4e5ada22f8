import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { CallInput, CommandName } from '../shared/api.ts';
import type { Status } from '../shared/model.ts';
import { groupByServer } from '../shared/server-state.ts';
import { AddServerScreen } from './add-server/add-server-screen.tsx';
import { call } from './api.ts';
import { ConnectAppScreen } from './connect-app/connect-app-screen.tsx';
import { NoticeBanner } from './parts/banner.tsx';
import { Mark } from './parts/mark.tsx';
import { serverInAddress, type Screen } from './screen.ts';
import { ServerScreen } from './server/server-screen.tsx';
import { ServersLoading, ServersScreen } from './servers/servers-screen.tsx';
import { ShellContext, type Notice, type Shell } from './shell.ts';
import { changesText } from './status.ts';
import { useNow, useStatus } from './use-status.ts';
import { t } from './text.ts';

/**
 * The window: the state from the main process, the screen that the user chose, and the result of what was done last.
 */
export function App() {
  const status = useStatus();
  const now = useNow(status);
  const heard = useChangesText(status);
  const { screen, cameFrom, open } = useScreen();
  const [notice, show] = useState<Notice>();
  const { run, running } = useRuns();

  const go = useCallback(
    (to: Screen) => {
      open(to);
      show(undefined);
      window.scrollTo(0, 0);
    },
    [open],
  );
  useAddressedServer(go);
  const shell = useMemo<Shell>(() => ({ now, go, show, run, running }), [now, go, run, running]);

  return (
    <ShellContext value={shell}>
      <header className="top">
        <Mark />
        <span className="top-name">{t('common.app')}</span>
        {status?.runtime === 'development' && (
          <span className="badge" title={t('common.developmentHint')}>
            {t('common.development')}
          </span>
        )}
      </header>
      <main>
        <div className="notices" aria-live="polite">
          {notice && !toldByState(notice, screen, status) && (
            <div className="page notice">
              <NoticeBanner notice={notice} onClose={() => show(undefined)} onShow={wayTo(notice, screen, go)} />
            </div>
          )}
        </div>
        {status ? <CurrentScreen status={status} screen={screen} cameFrom={cameFrom} /> : <ServersLoading />}
      </main>
      <output className="only-heard">{heard}</output>
    </ShellContext>
  );
}

interface CurrentScreenProps {
  readonly status: Status;
  readonly screen: Screen;
  readonly cameFrom: Screen | undefined;
}

/** A server that is gone (removed in a terminal) leads back to the list. */
export function CurrentScreen({ status, screen, cameFrom }: CurrentScreenProps) {
  if (screen.at === 'add_server') return <AddServerScreen />;
  const server = screen.at === 'servers' ? undefined : status.servers.find(({ id }) => id === screen.server);
  const accounts = server && groupByServer(status.servers).find(([{ name }]) => name === server.name);
  if (!server || !accounts) return <ServersScreen status={status} cameFrom={cameFrom} />;
  if (screen.at === 'connect_app') return <ConnectAppScreen key={server.id} server={server} />;
  return <ServerScreen key={server.id} server={server} accounts={accounts} store={status.store} />;
}

/** To the server that an error is about, from everywhere else. */
function wayTo(notice: Notice, screen: Screen, go: Shell['go']): (() => void) | undefined {
  if (notice.kind !== 'error' || notice.server === undefined) return undefined;
  const { server } = notice;
  return screen.at === 'server' && screen.server === server ? undefined : () => go({ at: 'server', server });
}

/** Whether the open screen is the server's own page, which already shows this error. */
function toldByState(notice: Notice, screen: Screen, status: Status | undefined): boolean {
  if (notice.kind !== 'error' || screen.at !== 'server' || notice.server !== screen.server) return false;
  const state = status?.servers.find(({ id }) => id === screen.server)?.state;
  return state !== undefined && 'error' in state && state.error.code === notice.error.code;
}

/** The screen that is open, and the one before it. */
function useScreen() {
  const [{ screen, cameFrom }, setScreens] = useState<{
    readonly screen: Screen;
    readonly cameFrom: Screen | undefined;
  }>({ screen: { at: 'servers' }, cameFrom: undefined });
  const open = useCallback((to: Screen) => setScreens((before) => ({ screen: to, cameFrom: before.screen })), []);
  return { screen, cameFrom, open };
}

/**
 * The tray opens a server's page by `#server=<id>`. Taken off the address at once, so that the same one can come again.
 */
function useAddressedServer(go: Shell['go']): void {
  useEffect(() => {
    const follow = () => {
      const server = serverInAddress(location.hash);
      if (server === undefined) return;
      history.replaceState(null, '', location.pathname);
      go({ at: 'server', server });
    };
    follow();
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, [go]);
}

/** Which commands run right now, so that their buttons can say so. */
function useRuns(): Pick<Shell, 'run' | 'running'> {
  const [runs, setRuns] = useState<readonly { readonly name: CommandName; readonly server: string | undefined }[]>([]);
  const run = useCallback<Shell['run']>(async (name, input) => {
    const entry = { name, server: serverOf(input) };
    setRuns((before) => [...before, entry]);
    try {
      return await call(name, input);
    } finally {
      setRuns((before) => before.filter((one) => one !== entry));
    }
  }, []);
  const running = useCallback<Shell['running']>(
    (name, server) => runs.some((one) => one.name === name && one.server === server),
    [runs],
  );
  return { run, running };
}

const serverOf = (input: CallInput<CommandName>): string | undefined =>
  input && 'server' in input ? input.server : undefined;

/** The text of the last change, for a screen reader. */
function useChangesText(status: Status | undefined): string {
  const before = useRef<Status>(undefined);
  const [words, setWords] = useState('');
  useEffect(() => {
    const changes = before.current && status ? changesText(before.current, status, Date.now()) : '';
    before.current = status;
    if (changes !== '') setWords(changes);
  }, [status]);
  return words;
}
