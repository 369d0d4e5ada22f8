import { useState, type FormEvent } from 'react';
import type { Discovered } from '../../shared/model.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { after } from '../api.ts';
import { NoticeBanner } from '../parts/banner.tsx';
import { Button } from '../parts/button.tsx';
import { TextField } from '../parts/field.tsx';
import { Page } from '../parts/page.tsx';
import { useShell } from '../shell.ts';
import { settingsForm, settingsOf, type SettingsForm } from '../server/settings/settings-change.ts';
import { FailedDiscovery } from './failed-discovery.tsx';
import { FoundForm } from './found-form.tsx';
import { t } from '../text.ts';

type Look =
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly error: ErrorInfo }
  | { readonly kind: 'found'; readonly found: Discovered };

const noSettings: SettingsForm = settingsForm({ ownClient: false, allowMissingPkce: false, settings: {} });

/** Asks for the address first; the discovery result decides which other fields appear. */
export function AddServerScreen() {
  const { run, running } = useShell();
  const [url, setUrl] = useState('');
  const [form, setForm] = useState(noSettings);
  const [look, setLook] = useState<Look>({ kind: 'none' });
  const checking = running('discover');

  const change = (value: string) => {
    setUrl(value);
    setLook({ kind: 'none' });
  };
  const check = (wanted: SettingsForm, address = url) => {
    const asked = address.trim();
    if (asked === '' || checking) return;
    const settings = settingsOf(wanted);
    setForm(wanted);
    setLook({ kind: 'none' });
    after(run('discover', { url: asked, ...(Object.keys(settings).length > 0 ? { settings } : {}) }), (reply) =>
      setLook(reply.ok ? { kind: 'found', found: reply.value } : { kind: 'failed', error: reply.error }),
    );
  };
  const checkAt = (address: string) => {
    setUrl(address);
    check(form, address);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    check(form);
  };

  return (
    <Page back={{ at: 'servers' }} title={t('add.title')} lead={t('add.lead')} fieldFirst>
      <form className="card address" onSubmit={submit}>
        <TextField
          label={t('add.url')}
          value={url}
          onChange={change}
          placeholder={t('add.urlExample')}
          maxLength={2_000}
          invalid={look.kind === 'failed'}
          fixed={checking}
          mono
          required
          focusFirst
        >
          <Button kind={look.kind === 'none' ? 'primary' : 'plain'} submit busy={checking}>
            {checking ? t('add.checking') : t('add.check')}
          </Button>
        </TextField>
      </form>
      {look.kind === 'failed' && (
        <>
          <NoticeBanner notice={{ kind: 'error', title: t('add.checkFailed'), error: look.error }} place="add" />
          <FailedDiscovery
            url={url.trim()}
            error={look.error}
            form={form}
            onForm={setForm}
            onCheck={(wanted) => check(wanted)}
            onAddress={checkAt}
          />
        </>
      )}
      {look.kind === 'found' && (
        <FoundForm key={look.found.url} found={look.found} known={settingsOf(form)} secrets={form.secrets} />
      )}
    </Page>
  );
}
