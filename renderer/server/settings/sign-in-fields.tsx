import { CheckField, TextField } from '../../parts/field.tsx';
import { Fold } from '../../parts/fold.tsx';
import { SecretField } from '../../parts/secret-field.tsx';
import { SelectField } from '../../parts/select-field.tsx';
import { changeSettings, type FormPart } from './form-part.ts';
import { MakeKey } from './make-key.tsx';
import { NamedSecret, NamedText } from './named-fields.tsx';
import { choices, t } from '../../text.ts';

/** The ways to sign in, in the order of the list. */
export const grants = [
  'authorization_code',
  'device_code',
  'client_credentials',
  'jwt_bearer',
  'enterprise_managed',
  'static_header',
] as const;

const clientAuths = [
  'auto',
  'none',
  'client_secret_basic',
  'client_secret_basic_raw',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
] as const;

/** The sign-in method, its fields, and the client. */
export function SignInFields({ part }: { readonly part: FormPart }) {
  const grant = part.form.settings.grant ?? 'authorization_code';
  return (
    <>
      <SelectField
        label={t('settings.grant')}
        value={grant}
        choices={choices(grants, (one) => t(`settings.grants.${one}`))}
        onChange={(chosen) => changeSettings(part)({ grant: chosen === 'authorization_code' ? undefined : chosen })}
        hint={t(`settings.grantHints.${grant}`)}
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
      {text('issuer', t('settings.enterpriseIssuer'), t('settings.enterpriseIssuerHint'))}
      {text('clientId', t('settings.enterpriseClientId'), t('settings.enterpriseClientIdHint'))}
      <NamedSecret part={part} name="enterpriseClientSecret" />
      {text('caFile', t('settings.enterpriseCaFile'), t('settings.enterpriseCaFileHint'))}
      {text('tokenEndpoint', t('settings.enterpriseTokenEndpoint'), t('settings.enterpriseTokenEndpointHint'))}
      <SelectField
        label={t('settings.redirectHost')}
        value={enterprise.redirectHost ?? 'auto'}
        choices={choices(['auto', '127.0.0.1', 'localhost'], (host) => t(`settings.redirectHosts.${host}`))}
        onChange={(chosen) =>
          changeSettings(part)({ enterprise: { ...enterprise, redirectHost: chosen === 'auto' ? undefined : chosen } })
        }
        hint={t('settings.redirectHostHint')}
        error={part.problem('settings.enterprise.redirectHost')}
        field="settings.enterprise.redirectHost"
      />
      <NamedSecret part={part} name="enterpriseIdToken" file hint={t('settings.enterpriseIdTokenHint')} />
    </>
  );
}

function ClientFields({ part }: { readonly part: FormPart }) {
  const { form, set, stored, problem } = part;
  return (
    <>
      <TextField
        label={t('add.clientId')}
        value={form.clientId}
        onChange={(clientId) => set({ clientId })}
        hint={clientIdHint(part)}
        error={problem('clientId')}
        field="clientId"
        maxLength={2_000}
        mono
      />
      <SecretField
        label={t('add.clientSecret')}
        value={form.clientSecret}
        stored={stored.includes('clientSecret')}
        onChange={(clientSecret) => set({ clientSecret })}
        hint={t('settings.clientSecretHint')}
        error={problem('clientSecret')}
        field="clientSecret"
      />
      {part.mayOwnClient && form.clientId.trim() !== '' && (
        <CheckField
          label={t('accounts.ownClient')}
          checked={form.ownClient}
          onChange={(ownClient) => set({ ownClient })}
          hint={t('accounts.ownClientHint')}
        />
      )}
      <ProofFields part={part} />
    </>
  );
}

function clientIdHint({ form, ownsClient }: FormPart): string {
  if (form.settings.grant === 'client_credentials') return t('settings.clientIdNeededHint');
  return ownsClient ? t('settings.clientIdOwnHint') : t('settings.clientIdHint');
}

const algorithms = {
  auto: t('settings.algorithmAuto'),
  RS256: 'RS256',
  PS256: 'PS256',
  ES256: 'ES256',
  EdDSA: 'EdDSA',
} as const;

/** Client authentication and registration options that few servers need. */
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
    <Fold className="inner-fold" wanted={used || settings.grant === 'client_credentials'} summary={t('settings.proof')}>
      <div className="fields">
        <SelectField
          label={t('settings.clientAuth')}
          value={settings.clientAuth ?? 'auto'}
          choices={choices(clientAuths, (one) => t(`settings.clientAuths.${one}`))}
          onChange={(choice) => change({ clientAuth: choice === 'auto' ? undefined : choice })}
          hint={t('settings.clientAuthHint')}
          error={problem('settings.clientAuth')}
          field="settings.clientAuth"
        />
        <NamedSecret part={part} name="privateKey" file hint={t('settings.privateKeyHint')} />
        {part.entry !== undefined && <MakeKey part={part} entry={part.entry} />}
        {signs && (
          <>
            <SelectField
              label={t('settings.signingAlgorithm')}
              value={settings.signingAlgorithm ?? 'auto'}
              choices={algorithms}
              onChange={(choice) => change({ signingAlgorithm: choice === 'auto' ? undefined : choice })}
              hint={t('settings.signingAlgorithmHint')}
              error={problem('settings.signingAlgorithm')}
              field="settings.signingAlgorithm"
            />
            <NamedText part={part} name="keyId" />
          </>
        )}
        <NamedText part={part} name="clientMetadataUrl" />
        <NamedSecret part={part} name="initialAccessToken" file hint={t('settings.initialAccessTokenHint')} />
      </div>
    </Fold>
  );
}
