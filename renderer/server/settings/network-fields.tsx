import { SelectField } from '../../parts/select-field.tsx';
import { changeSettings, type FormPart } from './form-part.ts';
import { NamedSecret, NamedText } from './named-fields.tsx';
import { settingsMessages as words } from './settings-messages.ts';

/** What the connection itself needs. */
export function NetworkFields({ part }: { readonly part: FormPart }) {
  const { settings } = part.form;
  const { dpop } = settings;
  return (
    <>
      <NamedText part={part} name="caFile" />
      <NamedText part={part} name="clientCertificateFile" />
      {(settings.clientCertificateFile ?? '') !== '' && <NamedSecret part={part} name="clientCertificatePassword" />}
      <SelectField
        label={words.dpop}
        value={dpop === undefined ? 'auto' : dpop ? 'yes' : 'no'}
        choices={words.dpopChoices}
        onChange={(choice) => changeSettings(part)({ dpop: choice === 'auto' ? undefined : choice === 'yes' })}
        hint={words.dpopHint}
        error={part.problem('settings.dpop')}
        field="settings.dpop"
      />
      <p className="hint field">{words.proxy}</p>
    </>
  );
}
