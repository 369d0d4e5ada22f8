import { TextField } from '../../parts/field.tsx';
import { SelectField } from '../../parts/select-field.tsx';
import { changeSettings, type FormPart } from './form-part.ts';
import { NamedSecret, NamedText } from './named-fields.tsx';
import { choices, t } from '../../text.ts';

/** What the connection itself needs. */
export function NetworkFields({ part }: { readonly part: FormPart }) {
  const { settings } = part.form;
  const { dpop } = settings;
  return (
    <>
      <NamedText part={part} name="caFile" />
      {((settings.caFile ?? '') !== '' || settings.caOrigins !== undefined) && (
        <TextField
          label={t('settings.caOrigins')}
          value={(settings.caOrigins ?? []).join(' ')}
          onChange={(text) => changeSettings(part)({ caOrigins: text === '' ? undefined : text.split(' ') })}
          hint={t('settings.caOriginsHint')}
          error={part.problem('settings.caOrigins')}
          field="settings.caOrigins"
          maxLength={4_000}
          mono
        />
      )}
      <NamedText part={part} name="clientCertificateFile" />
      {(settings.clientCertificateFile ?? '') !== '' && <NamedSecret part={part} name="clientCertificatePassword" />}
      <SelectField
        label={t('settings.dpop')}
        value={dpop === undefined ? 'auto' : dpop ? 'yes' : 'no'}
        choices={choices(['auto', 'yes', 'no'], (choice) => t(`settings.dpopChoices.${choice}`))}
        onChange={(choice) => changeSettings(part)({ dpop: choice === 'auto' ? undefined : choice === 'yes' })}
        hint={t('settings.dpopHint')}
        error={part.problem('settings.dpop')}
        field="settings.dpop"
      />
      <p className="hint field">{t('settings.proxy')}</p>
    </>
  );
}
