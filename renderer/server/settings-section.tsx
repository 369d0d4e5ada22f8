import { useState, type FormEvent } from 'react';
import type { CallInput } from '../../shared/api.ts';
import type { ServerDetail } from '../../shared/model.ts';
import { after } from '../api.ts';
import { messages } from '../messages.ts';
import { Button } from '../parts/button.tsx';
import { TextField } from '../parts/field.tsx';
import { SecretField } from '../parts/secret-field.tsx';
import { settingsMessages as words } from '../settings-messages.ts';
import { useShell } from '../shell.ts';
import { MoreFields } from './more-fields.tsx';
import { settingsChange, settingsForm, type SettingsForm } from './settings-change.ts';
import { ScopesField, WayFields } from './way-fields.tsx';

/** What the parts of the form read and change. */
export interface FormPart {
  readonly form: SettingsForm;
  readonly stored: ServerDetail['storedSecrets'];
  readonly set: (change: Partial<SettingsForm>) => void;
}

/** How Keybridge signs in to this server; closed until it is wanted. */
export function SettingsSection({ detail, onSaved }: { readonly detail: ServerDetail; readonly onSaved: () => void }) {
  const { run, running, show } = useShell();
  const { id } = detail.status;
  const [form, setForm] = useState(() => settingsForm(detail));
  const change = settingsChange(detail, form);
  const { state } = detail.status;
  const needed = 'error' in state && fixedHere.has(state.error.code);
  const saving = running('configureServer', id);
  const part: FormPart = { form, stored: detail.storedSecrets, set: (changed) => setForm((before) => ({ ...before, ...changed })) };
  const withClient = form.settings.grant !== 'static_header';

  const save = (event: FormEvent) => {
    event.preventDefault();
    if (!change || saving) return;
    show(undefined);
    const input: CallInput<'configureServer'> = { server: id, ...change };
    after(run('configureServer', input), (reply) => {
      if (!reply.ok) return show({ kind: 'error', title: messages.server.saveFailed, error: reply.error });
      part.set({ clientSecret: undefined, secrets: {} });
      show({ kind: 'done', title: messages.server.saved, text: messages.server.savedText });
      onSaved();
    });
  };

  return (
    <section className="section" aria-label={words.title}>
      <details className="card more settings" open={needed}>
        <summary>
          <h2>{words.title}</h2>
        </summary>
        <form onSubmit={save}>
          <p className="section-text">{words.text}</p>
          <WayFields {...part} />
          {withClient && (
            <>
              <ScopesField settings={form.settings} onChange={(settings) => part.set({ settings })} />
              <TextField label={messages.add.clientId} value={form.clientId} onChange={(clientId) => part.set({ clientId })} hint={messages.server.clientIdHint} maxLength={2_000} mono optional />
              <SecretField label={messages.add.clientSecret} value={form.clientSecret} stored={detail.storedSecrets.includes('clientSecret')} onChange={(clientSecret) => part.set({ clientSecret })} />
            </>
          )}
          <MoreFields {...part} open={'error' in state && state.error.code === 'E_PKCE_UNSUPPORTED'} />
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
