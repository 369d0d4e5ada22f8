import { useState } from 'react';
import type { ServerDetail, ServerStatus, StoreStatus } from '../../shared/model.ts';
import { stateTone, type ServerAccounts } from '../../shared/server-state.ts';
import { stateDetail, stateLabel } from '../../shared/state-text.ts';
import { Button } from '../parts/button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { PlusIcon } from '../parts/icons.tsx';
import { NextStepButton } from '../parts/next-step.tsx';
import { Section } from '../parts/page.tsx';
import { StateGlyph } from '../parts/state-glyph.tsx';
import { useShell } from '../shell.ts';
import { AddAccountDialog, MakeDefaultDialog, RemoveAccountDialog, RenameAccountDialog } from './account-dialogs.tsx';
import { rich, t } from '../text.ts';

interface AccountsSectionProps {
  readonly accounts: ServerAccounts;
  /** The account whose page this is. */
  readonly shown: ServerStatus;
  readonly detail: ServerDetail | undefined;
  readonly store: StoreStatus;
}

/** The accounts of a server with several: each with its state; the shown one can be changed. */
export function AccountsSection({ accounts, shown, detail, store }: AccountsSectionProps) {
  const [asking, setAsking] = useState<'add' | 'rename' | 'default' | 'remove'>();
  const close = () => setAsking(undefined);
  const name = shown.account?.name ?? '';
  return (
    <Section id="accounts-title" title={t('accounts.title')} text={t('accounts.text')}>
      <div className="card accounts">
        <ul>
          {accounts.map((account) => (
            <AccountLine key={account.id} account={account} here={account.id === shown.id} />
          ))}
        </ul>
        <div className="accounts-foot">
          <Button small kind="quiet" onClick={() => setAsking('add')}>
            <PlusIcon size={16} />
            {t('accounts.add')}
          </Button>
          <span className="accounts-acts">
            <Button
              small
              onClick={() => setAsking('rename')}
              label={t('common.labelled', { action: t('accounts.rename'), name })}
            >
              {t('accounts.rename')}
            </Button>
            {shown.account?.isDefault === false && (
              <Button
                small
                onClick={() => setAsking('default')}
                label={t('common.labelled', { action: t('accounts.makeDefault'), name })}
              >
                {t('accounts.makeDefault')}
              </Button>
            )}
            <Button
              small
              kind="danger"
              onClick={() => setAsking('remove')}
              label={t('common.labelled', { action: t('accounts.remove'), name })}
            >
              {t('accounts.remove')}
            </Button>
          </span>
        </div>
      </div>
      {asking === 'add' && <AddAccountDialog server={shown} onClose={close} />}
      {asking === 'rename' && <RenameAccountDialog account={shown} onClose={close} />}
      {asking === 'default' && <MakeDefaultDialog account={shown} onClose={close} />}
      {asking === 'remove' && detail && (
        <RemoveAccountDialog
          detail={detail}
          store={store}
          others={accounts.filter(({ id }) => id !== shown.id)}
          onClose={close}
        />
      )}
    </Section>
  );
}

function AccountLine({ account, here }: { readonly account: ServerStatus; readonly here: boolean }) {
  const { go, now } = useShell();
  const detail = stateDetail(account.state, now);
  const label = <span className={`state-label tone-${stateTone(account.state)}`}>{stateLabel(account.state)}</span>;
  const { name = '', isDefault = false } = account.account ?? {};
  return (
    <li className={here ? 'account-line account-here' : 'account-line'}>
      <StateGlyph state={account.state} />
      <div className="account-words">
        <p>
          <button
            type="button"
            className="row-open"
            aria-current={here ? 'true' : undefined}
            onClick={() => go({ at: 'server', server: account.id })}
          >
            <Foreign text={name} cut />
          </button>
          {isDefault && <span className="tag">{t('accounts.isDefault')}</span>}
        </p>
        <p className="row-second">
          {detail === '' ? label : rich('state.withDetail', { state: label, detail })}
          {account.identity !== undefined && account.identity !== name && (
            <>
              {' · '}
              <Foreign text={account.identity} />
            </>
          )}
        </p>
      </div>
      {!here && (
        <div className="row-act">
          <NextStepButton server={account} />
        </div>
      )}
    </li>
  );
}

/** For a server with one account: explains and adds a second one. */
export function FirstAccountSection({ server }: { readonly server: ServerStatus }) {
  const [adding, setAdding] = useState(false);
  return (
    <Section id="accounts-title" title={t('accounts.title')}>
      <div className="card one-account">
        <p className="quiet">{t('accounts.one')}</p>
        <Button small onClick={() => setAdding(true)}>
          <PlusIcon size={16} />
          {t('accounts.add')}
        </Button>
      </div>
      {adding && <AddAccountDialog server={server} onClose={() => setAdding(false)} />}
    </Section>
  );
}
