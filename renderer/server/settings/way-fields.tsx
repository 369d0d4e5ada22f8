import { accountMessages } from '../../account-messages.ts';
import { messages } from '../../messages.ts';
import { CheckField, TextField } from '../../parts/field.tsx';
import { Fold } from '../../parts/fold.tsx';
import { SecretField } from '../../parts/secret-field.tsx';
import { SelectField } from '../../parts/select-field.tsx';
import { changeSettings, type FormPart } from './form-part.ts';
import { MakeKey } from './make-key.tsx';
import { NamedSecret, NamedText } from './named-fields.tsx';
import { settingsMessages as words } from './settings-messages.ts';

/** The way to sign in, what that way needs, and as what Keybridge is known there. */
export function WayFields({ part }: { readonly part: FormPart }) {
  const grant = part.form.settings.grant ?? 'authorization_code';
  return (
    <>
      <SelectField
        label={words.grant}
        value={grant}
        choices={words.grants}
        onChange={(chosen) => changeSettings(part)({ grant: chosen === 'authorization_code' ? undefined : chosen })}
        hint={words.grantHints[grant]}
        error={part.problem('settings.grant')}
        field="settings.grant"
      />
      {grant === 'static_header' && (
        <>
          <NamedSecret part={part} name="headerValue" />
          <NamedText part={part} name="headerName" />
        </>
      )}
      {grant === 'jwt_bearer' && (
        <>
          <NamedText part={part} name="assertionFile" />
          <NamedSecret part={part} name="assertion" file />
        </>
      )}
      {grant === 'enterprise_managed' && <EnterpriseFields part={part} />}
      {grant !== 'static_header' && <ClientFields part={part} />}
    </>
  );
}

function EnterpriseFields({ part }: { readonly part: FormPart }) {
  const { enterprise = { issuer: '', clientId: '' } } = part.form.settings;
  const text = (name: 'issuer' | 'clientId' | 'tokenEndpoint' | 'caFile', label: string, hint: string) => (
    <TextField
      label={label}
      value={enterprise[name] ?? ''}
      onChange={(value) => changeSettings(part)({ enterprise: { ...enterprise, [name]: value } })}
      hint={hint}
      error={part.problem(`settings.enterprise.${name}`)}
      field={`settings.enterprise.${name}`}
      maxLength={2_000}
      mono
    />
  );
  return (
    <>
      {text('issuer', words.enterpriseIssuer, words.enterpriseIssuerHint)}
      {text('clientId', words.enterpriseClientId, words.enterpriseClientIdHint)}
      <NamedSecret part={part} name="enterpriseClientSecret" />
      {text('caFile', words.enterpriseCaFile, words.enterpriseCaFileHint)}
      {text('tokenEndpoint', words.enterpriseTokenEndpoint, words.enterpriseTokenEndpointHint)}
      <SelectField
        label={words.redirectHost}
        value={enterprise.redirectHost ?? 'auto'}
        choices={words.redirectHosts}
        onChange={(chosen) =>
          changeSettings(part)({ enterprise: { ...enterprise, redirectHost: chosen === 'auto' ? undefined : chosen } })
        }
        hint={words.redirectHostHint}
        error={part.problem('settings.enterprise.redirectHost')}
        field="settings.enterprise.redirectHost"
      />
      <NamedSecret part={part} name="enterpriseIdToken" file hint={words.enterpriseIdTokenHint} />
    </>
  );
}

function ClientFields({ part }: { readonly part: FormPart }) {
  const { form, set, stored, problem } = part;
  return (
    <>
      <TextField
        label={messages.add.clientId}
        value={form.clientId}
        onChange={(clientId) => set({ clientId })}
        hint={clientIdHint(part)}
        error={problem('clientId')}
        field="clientId"
        maxLength={2_000}
        mono
      />
      <SecretField
        label={messages.add.clientSecret}
        value={form.clientSecret}
        stored={stored.includes('clientSecret')}
        onChange={(clientSecret) => set({ clientSecret })}
        hint={words.clientSecretHint}
        error={problem('clientSecret')}
        field="clientSecret"
      />
      {part.mayOwnClient && form.clientId.trim() !== '' && (
        <CheckField
          label={accountMessages.ownClient}
          checked={form.ownClient}
          onChange={(ownClient) => set({ ownClient })}
          hint={accountMessages.ownClientHint}
        />
      )}
      <ProofFields part={part} />
    </>
  );
}

function clientIdHint({ form, ownsClient }: FormPart): string {
  if (form.settings.grant === 'client_credentials') return words.clientIdNeededHint;
  return ownsClient ? words.clientIdOwnHint : words.clientIdHint;
}

const algorithms = {
  auto: words.algorithmAuto,
  RS256: 'RS256',
  PS256: 'PS256',
  ES256: 'ES256',
  EdDSA: 'EdDSA',
} as const;

/** How the client proves who it is, and other ways to be known: few need them. */
function ProofFields({ part }: { readonly part: FormPart }) {
  const { form, stored, problem } = part;
  const { settings } = form;
  const change = changeSettings(part);
  const signs = settings.clientAuth === 'private_key_jwt' || settings.grant === 'client_credentials';
  const used =
    ['clientAuth', 'signingAlgorithm', 'keyId', 'clientMetadataUrl'].some((name) => name in settings) ||
    stored.includes('privateKey') ||
    stored.includes('initialAccessToken');
  return (
    <Fold className="inner-fold" wanted={used || settings.grant === 'client_credentials'} summary={words.proof}>
      <div className="fields">
        <SelectField
          label={words.clientAuth}
          value={settings.clientAuth ?? 'auto'}
          choices={words.clientAuths}
          onChange={(choice) => change({ clientAuth: choice === 'auto' ? undefined : choice })}
          hint={words.clientAuthHint}
          error={problem('settings.clientAuth')}
          field="settings.clientAuth"
        />
        <NamedSecret part={part} name="privateKey" file hint={words.privateKeyHint} />
        {part.entry !== undefined && <MakeKey part={part} entry={part.entry} />}
        {signs && (
          <>
            <SelectField
              label={words.signingAlgorithm}
              value={settings.signingAlgorithm ?? 'auto'}
              choices={algorithms}
              onChange={(choice) => change({ signingAlgorithm: choice === 'auto' ? undefined : choice })}
              hint={words.signingAlgorithmHint}
              error={problem('settings.signingAlgorithm')}
              field="settings.signingAlgorithm"
            />
            <NamedText part={part} name="keyId" />
          </>
        )}
        <NamedText part={part} name="clientMetadataUrl" />
        <NamedSecret part={part} name="initialAccessToken" file hint={words.initialAccessTokenHint} />
      </div>
    </Fold>
  );
}
