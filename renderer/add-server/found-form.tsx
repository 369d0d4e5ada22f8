import { useState, type FormEvent } from 'react';
import type { CallInput } from '../../shared/api.ts';
import type { Discovered } from '../../shared/model.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { after } from '../api.ts';
import { startSignIn } from '../server-actions.ts';
import { NoticeBanner } from '../parts/banner.tsx';
import { Button } from '../parts/button.tsx';
import { CheckField, TextField } from '../parts/field.tsx';
import { WarningIcon } from '../parts/icons.tsx';
import type { EnteredSecrets } from '../server/settings/settings-change.ts';
import { ScopesField } from '../server/settings/scopes-field.tsx';
import { useShell } from '../shell.ts';
import { ClientSteps } from './client-steps.tsx';
import { DiscoveryResult } from './discovery-result.tsx';
import { t } from '../text.ts';
import type { ServerSettings } from '../../shared/server-settings.ts';

interface FoundFormProps {
  readonly found: Discovered;
  /** What the look needed, and the server will too. */
  readonly known?: ServerSettings;
  readonly secrets?: EnteredSecrets;
}

/** The discovery result, and the fields that are needed before the server is added. */
export function FoundForm({ found, known = {}, secrets = {} }: FoundFormProps) {
  const shell = useShell();
  const { run, running, go } = shell;
  const [name, setName] = useState(found.suggestedName);
  const [clientId, setClientId] = useState('');
  const [clientSecret, setClientSecret] = useState('');
  const [allowMissingPkce, setAllowMissingPkce] = useState(false);
  const [settings, setSettings] = useState<ServerSettings>(known);
  const [error, setError] = useState<ErrorInfo>();
  const adding = running('addServer');
  const idNeeded = found.registration === 'client_id_needed';

  const add = (event: FormEvent) => {
    event.preventDefault();
    if (adding) return;
    setError(undefined);
    const input: CallInput<'addServer'> = { url: found.url, name };
    if (idNeeded) input.clientId = clientId.trim();
    if (idNeeded && clientSecret !== '') input.clientSecret = clientSecret;
    if (Object.keys(settings).length > 0) input.settings = settings;
    const entered = Object.entries(secrets).filter(([, value]) => typeof value === 'string');
    if (entered.length > 0) input.secrets = Object.fromEntries(entered);
    if (found.pkceMissing) input.allowMissingPkce = true;
    after(run('addServer', input), (reply) => {
      if (!reply.ok) return setError(reply.error);
      go({ at: 'server', server: reply.value.id });
      if (found.needsSignIn) startSignIn(shell, reply.value);
    });
  };

  return (
    <form className="card found" onSubmit={add} aria-labelledby="found-title">
      <DiscoveryResult found={found} />
      {idNeeded && (
        <fieldset className="part">
          <legend>{t('add.clientTitle')}</legend>
          <p className="hint">{t('add.clientText')}</p>
          <ClientSteps found={found}>
            <TextField
              label={t('add.clientId')}
              value={clientId}
              onChange={setClientId}
              maxLength={2_000}
              mono
              required
            />
            <TextField
              label={t('add.clientSecret')}
              value={clientSecret}
              onChange={setClientSecret}
              hint={t('add.secretHint')}
              maxLength={4_000}
              secret
              optional
            />
          </ClientSteps>
        </fieldset>
      )}
      {found.pkceMissing && (
        <fieldset className="part warning">
          <legend>
            <WarningIcon size={18} />
            {t('add.safetyTitle')}
          </legend>
          <p>{t('add.safetyText')}</p>
          <CheckField label={t('add.safetyAllow')} checked={allowMissingPkce} onChange={setAllowMissingPkce} required />
        </fieldset>
      )}
      <div className="part">
        <TextField
          label={t('add.name')}
          value={name}
          onChange={setName}
          hint={t('add.nameHint')}
          maxLength={100}
          required
        />
      </div>
      {found.needsSignIn && (
        <details className="part more">
          <summary>{t('add.choices')}</summary>
          <ScopesField settings={settings} onChange={setSettings} short />
        </details>
      )}
      {error && <NoticeBanner notice={{ kind: 'error', title: t('add.addFailed'), error }} />}
      <div className="form-foot">
        <Button onClick={() => go({ at: 'servers' })}>{t('server.cancel')}</Button>
        <Button kind="primary" submit busy={adding}>
          {addLabel(adding, found.needsSignIn)}
        </Button>
      </div>
    </form>
  );
}

function addLabel(adding: boolean, needsSignIn: boolean): string {
  if (adding) return t('add.adding');
  return needsSignIn ? t('add.addAndSignIn') : t('add.add');
}
