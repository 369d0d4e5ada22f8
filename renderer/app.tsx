import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { CallInput, CommandName } from '../shared/api.ts';
import type { Status } from '../shared/model.ts';
import { AddServerScreen } from './add-server/add-server-screen.tsx';
import { call } from './api.ts';
import { ConnectAppScreen } from './connect-app/connect-app-screen.tsx';
import { messages } from './messages.ts';
import { NoticeBanner } from './parts/banner.tsx';
import { Mark } from './parts/mark.tsx';
import type { Screen } from './screen.ts';
import { ServerScreen } from './server/server-screen.tsx';
import { ServersLoading, ServersScreen } from './servers/servers-screen.tsx';
import { ShellContext, type Notice, type Shell } from './shell.ts';
import { changesInWords } from './status.ts';
import { useNow, useStatus } from './use-status.ts';

/** The window: the state from the main process, the screen that the user chose, and the result of what was done last. */
export function App() {
  const status = useStatus();
  const now = useNow(status);
  const heard = useChangesInWords(status);
  const [screen, setScreen] = useState<Screen>({ at: 'servers' });
  const [notice, show] = useState<Notice>();
  const { run, running } = useRuns();

  const go = useCallback((to: Screen) => {
    setScreen(to);
    show(undefined);
    window.scrollTo(0, 0);
  }, []);
  const shell = useMemo<Shell>(() => ({ now, go, show, run, running }), [now, go, run, running]);

  return (
    <ShellContext value={shell}>
      <header className="top">
        <Mark />
        <span className="top-name">{messages.app}</span>
        {status?.runtime === 'development' && (
          <span className="badge" title={messages.developmentHint}>
            {messages.development}
          </span>
        )}
      </header>
      <main>
        {notice && !toldByState(notice, screen, status) && (
          <div className="page notice">
            <NoticeBanner notice={notice} onClose={() => show(undefined)} />
          </div>
        )}
        {status ? <CurrentScreen status={status} screen={screen} /> : <ServersLoading />}
      </main>
      <output className="only-heard">
        {heard}
      </output>
    </ShellContext>
  );
}

/** A server that is gone (removed in a terminal) leads back to the list. */
export function CurrentScreen({ status, screen }: { readonly status: Status; readonly screen: Screen }) {
  if (screen.at === 'add_server') return <AddServerScreen />;
  const server = screen.at === 'servers' ? undefined : status.servers.find(({ id }) => id === screen.server);
  if (!server) return <ServersScreen status={status} />;
  if (screen.at === 'connect_app') return <ConnectAppScreen key={server.id} server={server} />;
  return <ServerScreen key={server.id} server={server} store={status.store} />;
}

/** A server's own page tells its state's error already. */
function toldByState(notice: Notice, screen: Screen, status: Status | undefined): boolean {
  if (notice.kind !== 'error' || screen.at !== 'server' || notice.server !== screen.server) return false;
  const state = status?.servers.find(({ id }) => id === screen.server)?.state;
  return state !== undefined && 'error' in state && state.error.code === notice.error.code;
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
  const running = useCallback<Shell['running']>((name, server) => runs.some((one) => one.name === name && one.server === server), [runs]);
  return { run, running };
}

const serverOf = (input: CallInput<CommandName>): string | undefined => (input && 'server' in input ? input.server : undefined);

/** The last change in words, for a screen reader. */
function useChangesInWords(status: Status | undefined): string {
  const before = useRef<Status>(undefined);
  const [words, setWords] = useState('');
  useEffect(() => {
    const changes = before.current && status ? changesInWords(before.current, status, Date.now()) : '';
    before.current = status;
    if (changes !== '') setWords(changes);
  }, [status]);
  return words;
}
