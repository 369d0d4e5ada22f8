import { TextField } from '../../parts/field.tsx';
import { SecretField } from '../../parts/secret-field.tsx';
import { changeSettings, type FormPart } from './form-part.ts';
import { t } from '../../text.ts';
import type { SecretName, ServerSettings } from '../../../shared/server-settings.ts';

type TextName = 'assertionFile' | 'keyId' | 'clientMetadataUrl' | 'headerName' | 'caFile' | 'clientCertificateFile';

/** A setting of one line of text, by its name. */
export function NamedText({ part, name }: { readonly part: FormPart; readonly name: TextName }) {
  const set = (value: string) => changeSettings(part)({ [name]: value } satisfies ServerSettings);
  return (
    <TextField
      label={t(`settings.${name}`)}
      value={part.form.settings[name] ?? ''}
      onChange={set}
      hint={t(`settings.${name}Hint`)}
      error={part.problem(`settings.${name}`)}
      field={`settings.${name}`}
      maxLength={limits[name]}
      mono
    />
  );
}

const limits = {
  assertionFile: 4_000,
  keyId: 200,
  clientMetadataUrl: 2_000,
  headerName: 100,
  caFile: 4_000,
  clientCertificateFile: 4_000,
} as const;

interface NamedSecretProps {
  readonly part: FormPart;
  readonly name: Exclude<SecretName, 'clientSecret'>;
  readonly file?: boolean;
  readonly hint?: string;
}

/** A secret by its name. */
export function NamedSecret({ part: { form, stored, set, problem }, name, file = false, hint }: NamedSecretProps) {
  return (
    <SecretField
      label={t(`settings.${name}`)}
      value={form.secrets[name]}
      stored={stored.includes(name)}
      onChange={(value) => set({ secrets: { ...form.secrets, [name]: value } })}
      file={file}
      hint={hint}
      error={problem(`secrets.${name}`)}
      field={`secrets.${name}`}
    />
  );
}
