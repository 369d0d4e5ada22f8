import { useState, type FormEvent } from 'react';
import type { CallInput } from '../../shared/api.ts';
import type { ServerDetail } from '../../shared/model.ts';
import { after } from '../api.ts';
import { messages } from '../messages.ts';
import { Button } from '../parts/button.tsx';
import { CheckField, TextField } from '../parts/field.tsx';
import { useShell } from '../shell.ts';
import { settingsChange } from './settings-change.ts';

/** How Keybridge signs in to this server; closed until it is wanted. */
export function SettingsSection({ detail, onSaved }: { readonly detail: ServerDetail; readonly onSaved: () => void }) {
  const { run, running, show } = useShell();
  const { id } = detail.status;
  const [clientId, setClientId] = useState(detail.registration === 'configured' ? (detail.clientId ?? '') : '');
  const [clientSecret, setClientSecret] = useState('');
  const [allowMissingPkce, setAllowMissingPkce] = useState(detail.allowMissingPkce);
  const change = settingsChange(detail, { clientId, clientSecret, allowMissingPkce });
  const { state } = detail.status;
  const needed = 'error' in state && fixedHere.has(state.error.code);
  const saving = running('configureServer', id);

  const save = (event: FormEvent) => {
    event.preventDefault();
    if (!change || saving) return;
    show(undefined);
    const input: CallInput<'configureServer'> = { server: id, ...change };
    after(run('configureServer', input), (reply) => {
      if (!reply.ok) return show({ kind: 'error', title: messages.server.saveFailed, error: reply.error });
      setClientSecret('');
      show({ kind: 'done', title: messages.server.saved, text: messages.server.savedText });
      onSaved();
    });
  };

  return (
    <section className="section" aria-label={messages.server.settings}>
      <details className="card more settings" open={needed}>
        <summary>
          <h2>{messages.server.settings}</h2>
        </summary>
        <form onSubmit={save}>
          <p className="section-text">{messages.server.settingsText}</p>
          <TextField label={messages.add.clientId} value={clientId} onChange={setClientId} hint={messages.server.clientIdHint} maxLength={2_000} mono optional />
          <TextField label={messages.add.clientSecret} value={clientSecret} onChange={setClientSecret} hint={messages.server.newSecretHint} maxLength={4_000} secret optional />
          <CheckField label={messages.server.pkce} checked={allowMissingPkce} onChange={setAllowMissingPkce} hint={messages.server.pkceHint} />
          <div className="form-foot">
            <Button submit busy={saving} disabled={!change}>
              {saving ? messages.server.saving : messages.server.save}
            </Button>
          </div>
        </form>
      </details>
    </section>
  );
}

/** Errors whose remedy is in these settings. */
const fixedHere: ReadonlySet<string> = new Set(['E_CLIENT_ID_NEEDED', 'E_REGISTRATION_REFUSED', 'E_PKCE_UNSUPPORTED']);
