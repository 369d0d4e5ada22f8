import type { ServerSettings } from '../../shared/model.ts';
import { messages } from '../messages.ts';
import { CheckField, TextField } from '../parts/field.tsx';
import { SelectField } from '../parts/select-field.tsx';
import { settingsMessages as words } from '../settings-messages.ts';
import type { FormPart } from './settings-section.tsx';
import { NamedSecret } from './way-fields.tsx';

const algorithms = { auto: words.algorithmAuto, RS256: 'RS256', PS256: 'PS256', ES256: 'ES256', EdDSA: 'EdDSA' } as const;
type TextName = 'clientMetadataUrl' | 'keyId' | 'preset' | 'caFile' | 'clientCertificateFile';

/** What few servers need, behind a disclosure of its own. */
export function MoreFields({ open, ...part }: FormPart & { readonly open: boolean }) {
  const { form, set } = part;
  const { settings } = form;
  const change = (changed: Partial<ServerSettings>) => set({ settings: { ...settings, ...changed } });
  const text = (name: TextName, hint?: string) => (
    <TextField label={words[name]} value={settings[name] ?? ''} onChange={(value) => change({ [name]: value })} maxLength={name === 'keyId' || name === 'preset' ? 100 : 2_000} mono optional {...(hint === undefined ? {} : { hint })} />
  );
  const { resource } = settings;
  const exact = typeof resource === 'object';
  const withKey = settings.clientAuth === 'private_key_jwt' || settings.grant === 'client_credentials';
  return (
    <details className="more more-settings" open={open}>
      <summary>{words.more}</summary>
      <div className="more-body">
        <SelectField
          label={words.resource}
          value={exact ? 'value' : (resource ?? 'send')}
          choices={words.resourceChoices}
          onChange={(choice) => change({ resource: choice === 'value' ? { value: '' } : choice === 'send' ? undefined : choice })}
        />
        {exact && <TextField label={words.resourceValue} value={resource.value} onChange={(value) => change({ resource: { value } })} maxLength={2_000} mono required />}
        {text('clientMetadataUrl', words.clientMetadataUrlHint)}
        <SelectField label={words.clientAuth} value={settings.clientAuth ?? 'auto'} choices={words.clientAuths} onChange={(choice) => change({ clientAuth: choice === 'auto' ? undefined : choice })} />
        {withKey && (
          <>
            {settings.grant !== 'client_credentials' && <NamedSecret {...part} name="privateKey" file />}
            <SelectField label={words.signingAlgorithm} value={settings.signingAlgorithm ?? 'auto'} choices={algorithms} onChange={(choice) => change({ signingAlgorithm: choice === 'auto' ? undefined : choice })} />
            {text('keyId')}
          </>
        )}
        <NamedSecret {...part} name="initialAccessToken" file hint={words.initialAccessTokenHint} />
        {text('preset', words.presetHint)}
        {text('caFile')}
        {text('clientCertificateFile')}
        {(settings.clientCertificateFile ?? '') !== '' && <NamedSecret {...part} name="clientCertificatePassword" />}
        <SelectField
          label={words.dpop}
          value={settings.dpop === undefined ? 'auto' : settings.dpop ? 'yes' : 'no'}
          choices={words.dpopChoices}
          onChange={(choice) => change({ dpop: choice === 'auto' ? undefined : choice === 'yes' })}
        />
        <CheckField label={words.legacyEndpoints} checked={settings.legacyEndpoints ?? false} onChange={(yes) => change({ legacyEndpoints: yes || undefined })} hint={words.legacyEndpointsHint} />
        <CheckField label={messages.server.pkce} checked={form.allowMissingPkce} onChange={(allowMissingPkce) => set({ allowMissingPkce })} hint={messages.server.pkceHint} />
      </div>
    </details>
  );
}
