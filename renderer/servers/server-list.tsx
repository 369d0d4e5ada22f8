import { useId } from 'react';
import type { ServerStatus } from '../../shared/model.ts';
import { displayName, stateTone, type ServerAccounts } from '../../shared/server-state.ts';
import { accountsText, stateDetail, stateLabel } from '../../shared/state-text.ts';
import { Foreign } from '../parts/foreign.tsx';
import { AppsIcon, ForwardIcon, PersonIcon } from '../parts/icons.tsx';
import { NextStepButton } from '../parts/next-step.tsx';
import { StateGlyph } from '../parts/state-glyph.tsx';
import { useShell } from '../shell.ts';
import { hostOf } from '../status.ts';
import { namesOf, t } from '../text.ts';

interface ServerListProps {
  readonly title: string;
  readonly hideTitle?: boolean;
  readonly servers: readonly ServerAccounts[];
}

export function ServerList({ title, hideTitle = false, servers }: ServerListProps) {
  const id = useId();
  return (
    <section className="group" aria-labelledby={id}>
      <h2 id={id} className={hideTitle ? 'only-heard' : 'group-title'}>
        {title}
      </h2>
      <ul className="list">
        {servers.map((accounts) =>
          accounts.length === 1 ? (
            <ServerRow key={accounts[0].name} server={accounts[0]} />
          ) : (
            <AccountRows key={accounts[0].name} accounts={accounts} />
          ),
        )}
      </ul>
    </section>
  );
}

/** The button that opens the page of a server, or of one of its accounts. */
export const openButtonId = (entry: string): string => `open-${entry}`;

/** One server: its name, state, apps and next step. The whole row opens its page. */
function ServerRow({ server }: { readonly server: ServerStatus }) {
  return (
    <li className="row">
      <StateGlyph state={server.state} />
      <div className="row-words">
        <div className="row-cell">
          <h3>
            <OpenButton entry={server} name={displayName(server)} />
          </h3>
          <p className="row-second">
            <Foreign text={hostOf(server.url)} cut />
          </p>
        </div>
        <StateCell entry={server} />
        <UseCell entry={server} />
      </div>
      <RowEnd entry={server} />
    </li>
  );
}

/** A server with several accounts: its name once, and a row for each account. */
function AccountRows({ accounts }: { readonly accounts: ServerAccounts }) {
  const [server] = accounts;
  const id = useId();
  return (
    <li className="row-group">
      <div className="row-group-head">
        <h3 id={id}>
          <Foreign text={displayName(server)} cut />
        </h3>
        <p className="row-second">
          <Foreign text={hostOf(server.url)} cut />
        </p>
        <p className="row-second row-group-words">{accountsText(accounts)}</p>
      </div>
      <ul aria-labelledby={id}>
        {accounts.map((entry) => (
          <AccountRow key={entry.id} entry={entry} />
        ))}
      </ul>
    </li>
  );
}

function AccountRow({ entry }: { readonly entry: ServerStatus }) {
  const { account, identity } = entry;
  const other = identity !== undefined && identity !== account?.name;
  return (
    <li className="row row-account">
      <StateGlyph state={entry.state} />
      <div className="row-words">
        <div className="row-cell">
          <h4>
            <OpenButton entry={entry} name={account?.name ?? ''} />
          </h4>
          <p className="row-second">
            {account?.isDefault && <span>{other ? `${t('accounts.isDefault')} ·` : t('accounts.isDefault')}</span>}
            {other && (
              <>
                <span className="only-heard">{t('server.account')} </span>
                <Foreign text={identity} cut />
              </>
            )}
          </p>
        </div>
        <StateCell entry={entry} />
        <UseCell entry={entry} hideIdentity />
      </div>
      <RowEnd entry={entry} />
    </li>
  );
}

function OpenButton({ entry, name }: { readonly entry: ServerStatus; readonly name: string }) {
  const { go } = useShell();
  return (
    <button
      type="button"
      id={openButtonId(entry.id)}
      className="row-open"
      onClick={() => go({ at: 'server', server: entry.id })}
    >
      <Foreign text={name} cut />
    </button>
  );
}

function StateCell({ entry }: { readonly entry: ServerStatus }) {
  const { now } = useShell();
  return (
    <div className="row-cell">
      <p className={`state-label tone-${stateTone(entry.state)}`}>{stateLabel(entry.state)}</p>
      <p className="row-second">{stateDetail(entry.state, now)}</p>
    </div>
  );
}

/** Who is signed in, and which apps use it. */
function UseCell({ entry, hideIdentity = false }: { readonly entry: ServerStatus; readonly hideIdentity?: boolean }) {
  const apps = namesOf(entry.hosts);
  return (
    <div className="row-cell row-use">
      {!hideIdentity && entry.identity !== undefined && (
        <p>
          <PersonIcon size={14} />
          <span className="only-heard">{t('server.account')} </span>
          <Foreign text={entry.identity} cut />
        </p>
      )}
      {apps !== '' && (
        <p>
          <AppsIcon size={14} />
          <span className="only-heard">{t('servers.appsLabel')} </span>
          <Foreign text={apps} cut />
        </p>
      )}
    </div>
  );
}

function RowEnd({ entry }: { readonly entry: ServerStatus }) {
  return (
    <>
      <div className="row-act">
        <NextStepButton server={entry} />
      </div>
      <span className="row-more">
        <ForwardIcon size={16} />
      </span>
    </>
  );
}
