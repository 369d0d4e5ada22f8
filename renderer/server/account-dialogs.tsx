import { useState } from 'react';
import type { ServerDetail, ServerStatus, StoreStatus } from '../../shared/model.ts';
import type { Reply } from '../../shared/reply.ts';
import { startSignIn } from '../server-actions.ts';
import { after } from '../api.ts';
import { ConfirmDialog, FormDialog } from '../parts/dialog.tsx';
import { CheckField, TextField } from '../parts/field.tsx';
import { removeAccountConsequences } from '../consequences.ts';
import { removedNotice } from '../sign-out-notices.ts';
import { useShell } from '../shell.ts';
import { t } from '../text.ts';

/** Same pattern as AccountName in the contract, to show a wrong name at the field. */
export const isAccountName = (name: string): boolean => /^[a-z0-9][a-z0-9._@+-]{0,99}$/.test(name);

/** The state of an account name field, with its problem, or the core's message if the name is taken. */
function useName(before: string) {
  const { show } = useShell();
  const [name, setName] = useState(before);
  const [error, setError] = useState<string>();
  /** True: it may be sent. */
  const check = (name: string): boolean => {
    const fits = isAccountName(name);
    setError(fits ? undefined : t('accounts.nameWrong'));
    return fits;
  };
  const refused = (title: string, reply: Reply): boolean => {
    if (reply.ok) return false;
    if (reply.error.code === 'E_ACCOUNT_EXISTS' || reply.error.code === 'E_BAD_INPUT') setError(reply.error.message);
    else show({ kind: 'error', title, error: reply.error });
    return true;
  };
  const change = (value: string) => {
    setName(value);
    setError(undefined);
  };
  const field = ({ hint, optional = false }: { readonly hint: string; readonly optional?: boolean }) => (
    <TextField
      label={t('accounts.name')}
      value={name}
      onChange={change}
      hint={hint}
      error={error}
      maxLength={100}
      optional={optional}
      focusFirst
    />
  );
  return { wanted: name.trim(), check, refused, field };
}

/** Adds an account and starts its first sign-in. Warns that the browser may be signed in as another person. */
export function AddAccountDialog({ server, onClose }: { readonly server: ServerStatus; readonly onClose: () => void }) {
  const shell = useShell();
  const [privateWindow, setPrivateWindow] = useState(false);
  const { wanted, check, refused, field } = useName('');
  const add = () => {
    if (wanted !== '' && !check(wanted)) return;
    after(shell.run('addAccount', { server: server.id, ...(wanted === '' ? {} : { name: wanted }) }), (reply) => {
      if (refused(t('accounts.addFailed'), reply) || !reply.ok) return;
      onClose();
      shell.go({ at: 'server', server: reply.value.id });
      startSignIn(shell, reply.value, { openBrowser: !privateWindow, onCancelled: () => giveUp(reply.value.id) });
    });
  };
  // As on the command line: an account to which nobody has signed in is not kept.
  const giveUp = (added: string) => {
    shell.go({ at: 'server', server: server.id });
    after(shell.run('removeAccount', { server: added }), () => {});
  };
  return (
    <FormDialog
      title={t('accounts.addTitle', { server: server.name })}
      text={t('accounts.addText')}
      confirm={t('accounts.addAndSignIn')}
      busy={shell.running('addAccount', server.id)}
      onSubmit={add}
      onClose={onClose}
    >
      {field({ hint: t('accounts.addNameHint'), optional: true })}
      <CheckField label={t('accounts.privateWindow')} checked={privateWindow} onChange={setPrivateWindow} />
    </FormDialog>
  );
}

export function RenameAccountDialog({
  account,
  onClose,
}: {
  readonly account: ServerStatus;
  readonly onClose: () => void;
}) {
  const { run, running } = useShell();
  const before = account.account?.name ?? '';
  const { wanted, check, refused, field } = useName(before);
  const rename = () => {
    if (wanted === before) return onClose();
    if (!check(wanted)) return;
    after(run('updateAccount', { server: account.id, name: wanted }), (reply) => {
      if (!refused(t('accounts.renameFailed'), reply)) onClose();
    });
  };
  return (
    <FormDialog
      title={t('accounts.renameTitle', { name: before })}
      text={t('accounts.renameText')}
      confirm={t('accounts.save')}
      busy={running('updateAccount', account.id)}
      onSubmit={rename}
      onClose={onClose}
    >
      {field({ hint: t('accounts.nameHint') })}
    </FormDialog>
  );
}

export function MakeDefaultDialog({
  account,
  onClose,
}: {
  readonly account: ServerStatus;
  readonly onClose: () => void;
}) {
  const { run, show } = useShell();
  const makeDefault = () => {
    onClose();
    after(run('updateAccount', { server: account.id, isDefault: true }), (reply) => {
      if (!reply.ok) show({ kind: 'error', title: t('accounts.defaultFailed'), error: reply.error });
    });
  };
  return (
    <ConfirmDialog
      title={t('accounts.defaultTitle', { name: account.account?.name ?? '' })}
      consequences={[t('accounts.defaultApps'), t('accounts.defaultOthers')]}
      confirm={t('accounts.defaultConfirm')}
      harmless
      onConfirm={makeDefault}
      onClose={onClose}
    />
  );
}

interface RemoveAccountDialogProps {
  readonly detail: ServerDetail;
  readonly store: StoreStatus;
  readonly others: readonly ServerStatus[];
  readonly onClose: () => void;
}

/** Afterwards opens the page of the default account. */
export function RemoveAccountDialog({ detail, store, others, onClose }: RemoveAccountDialogProps) {
  const { run, show, go } = useShell();
  const { id, account } = detail.status;
  const name = account?.name ?? '';
  const remove = () => {
    onClose();
    show(undefined);
    const next = others.find((other) => other.account?.isDefault) ?? others[0];
    after(run('removeAccount', { server: id }), (reply) => {
      if (!reply.ok)
        return show({ kind: 'error', title: t('failed.remove', { name }), error: reply.error, server: id });
      go(next ? { at: 'server', server: next.id } : { at: 'servers' });
      show(removedNotice(name, reply.value));
    });
  };
  return (
    <ConfirmDialog
      title={t('accounts.removeTitle', { name })}
      consequences={removeAccountConsequences(detail, store)}
      confirm={t('accounts.removeConfirm')}
      onConfirm={remove}
      onClose={onClose}
    />
  );
}
