import type { SecretName, ServerSettings } from '../../shared/model.ts';
import { TextField } from '../parts/field.tsx';
import { SecretField } from '../parts/secret-field.tsx';
import { SelectField } from '../parts/select-field.tsx';
import { settingsMessages as words } from '../settings-messages.ts';
import type { FormPart } from './settings-section.tsx';

/** A secret of the form by its name. */
export function NamedSecret({ form, stored, set, name, file = false, hint }: FormPart & { readonly name: Exclude<SecretName, 'clientSecret'>; readonly file?: boolean; readonly hint?: string }) {
  return (
    <SecretField
      label={words[name]}
      value={form.secrets[name]}
      stored={stored.includes(name)}
      onChange={(value) => set({ secrets: { ...form.secrets, [name]: value } })}
      file={file}
      {...(hint === undefined ? {} : { hint })}
    />
  );
}

/** The way to sign in, and what that way needs. */
export function WayFields(part: FormPart) {
  const { form, set } = part;
  const { settings } = form;
  const grant = settings.grant ?? 'authorization_code';
  const change = (changed: Partial<ServerSettings>) => set({ settings: { ...settings, ...changed } });
  const enterprise = settings.enterprise ?? { issuer: '', clientId: '' };
  return (
    <>
      <SelectField
        label={words.grant}
        value={grant}
        choices={words.grants}
        onChange={(chosen) => change({ grant: chosen === 'authorization_code' ? undefined : chosen })}
        hint={words.grantHints[grant]}
      />
      {grant === 'static_header' && (
        <>
          <NamedSecret {...part} name="headerValue" />
          <TextField label={words.headerName} value={settings.headerName ?? ''} onChange={(headerName) => change({ headerName })} hint={words.headerNameHint} maxLength={100} mono optional />
        </>
      )}
      {grant === 'jwt_bearer' && (
        <>
          <TextField label={words.assertionFile} value={settings.assertionFile ?? ''} onChange={(assertionFile) => change({ assertionFile })} hint={words.assertionFileHint} maxLength={4_000} mono optional />
          <NamedSecret {...part} name="assertion" file />
        </>
      )}
      {grant === 'enterprise_managed' && (
        <>
          <TextField label={words.enterpriseIssuer} value={enterprise.issuer} onChange={(issuer) => change({ enterprise: { ...enterprise, issuer } })} maxLength={2_000} mono required />
          <TextField label={words.enterpriseClientId} value={enterprise.clientId} onChange={(clientId) => change({ enterprise: { ...enterprise, clientId } })} maxLength={2_000} mono required />
          <NamedSecret {...part} name="enterpriseClientSecret" />
          <TextField
            label={words.enterpriseTokenEndpoint}
            value={enterprise.tokenEndpoint ?? ''}
            onChange={(tokenEndpoint) => change({ enterprise: { issuer: enterprise.issuer, clientId: enterprise.clientId, ...(tokenEndpoint === '' ? {} : { tokenEndpoint }) } })}
            hint={words.enterpriseTokenEndpointHint}
            maxLength={2_000}
            mono
            optional
          />
          <NamedSecret {...part} name="enterpriseIdToken" file />
        </>
      )}
      {grant === 'client_credentials' && <NamedSecret {...part} name="privateKey" file />}
    </>
  );
}

type ScopesChoice = keyof typeof words.scopesChoices;

/** How much access to ask for. Before the first sign-in only the words, without a list of one's own. */
export function ScopesField({ settings, onChange, short = false }: { readonly settings: ServerSettings; readonly onChange: (settings: ServerSettings) => void; readonly short?: boolean }) {
  const { scopes } = settings;
  const { these, ...few } = words.scopesChoices;
  const own = Array.isArray(scopes);
  const choose = (choice: ScopesChoice) => {
    if (choice === 'these') return onChange({ ...settings, scopes: own ? scopes : [''] });
    const { scopes: _old, ...rest } = settings;
    onChange(choice === 'suggested' ? rest : { ...rest, scopes: choice });
  };
  return (
    <>
      <SelectField<ScopesChoice> label={words.scopes} value={own ? 'these' : (scopes ?? 'suggested')} choices={(short ? few : { ...few, these }) as Record<ScopesChoice, string>} onChange={choose} />
      {own && <TextField label={words.theseScopes} value={scopes.join(' ')} onChange={(text) => onChange({ ...settings, scopes: text.split(' ') })} maxLength={4_000} mono required />}
    </>
  );
}
