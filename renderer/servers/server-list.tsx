import { useId } from 'react';
import type { ServerStatus } from '../../shared/model.ts';
import { stateDetail, stateLabel, stateTone } from '../../shared/wording.ts';
import { messages, namesOf } from '../messages.ts';
import { Foreign } from '../parts/foreign.tsx';
import { AppsIcon, ForwardIcon, PersonIcon } from '../parts/icons.tsx';
import { NextStepButton } from '../parts/next-step.tsx';
import { StateGlyph } from '../parts/state-glyph.tsx';
import { useShell } from '../shell.ts';
import { hostOf } from '../status.ts';

interface ServerListProps {
  readonly title: string;
  readonly hideTitle?: boolean;
  readonly servers: readonly ServerStatus[];
}

export function ServerList({ title, hideTitle = false, servers }: ServerListProps) {
  const id = useId();
  return (
    <section className="group" aria-labelledby={id}>
      <h2 id={id} className={hideTitle ? 'only-heard' : 'group-title'}>
        {title}
      </h2>
      <ul className="list">
        {servers.map((server) => (
          <ServerRow key={server.id} server={server} />
        ))}
      </ul>
    </section>
  );
}

/** The button that opens a server's page. */
export const openButtonId = (server: string): string => `open-${server}`;

/** One server: who, how it stands, who uses it, and one thing to do. The whole row opens its page. */
function ServerRow({ server }: { readonly server: ServerStatus }) {
  const { go, now } = useShell();
  const detail = stateDetail(server.state, now);
  const apps = namesOf(server.hosts);
  return (
    <li className="row">
      <StateGlyph state={server.state} />
      <div className="row-words">
        <div className="row-cell">
          <h3>
            <button type="button" id={openButtonId(server.id)} className="row-open" onClick={() => go({ at: 'server', server: server.id })}>
              <Foreign text={server.name} cut />
            </button>
          </h3>
          <p className="row-second">
            <Foreign text={hostOf(server.url)} cut />
          </p>
        </div>
        <div className="row-cell">
          <p className={`state-label tone-${stateTone(server.state)}`}>{stateLabel(server.state)}</p>
          <p className="row-second">{detail}</p>
        </div>
        <div className="row-cell row-use">
          {server.identity !== undefined && (
            <p>
              <PersonIcon size={14} />
              <span className="only-heard">{messages.server.account}: </span>
              <Foreign text={server.identity} cut />
            </p>
          )}
          {apps !== '' && (
            <p>
              <AppsIcon size={14} />
              <span className="only-heard">{messages.server.apps}: </span>
              <Foreign text={apps} cut />
            </p>
          )}
        </div>
      </div>
      <div className="row-act">
        <NextStepButton server={server} />
      </div>
      <span className="row-more">
        <ForwardIcon size={16} />
      </span>
    </li>
  );
}
