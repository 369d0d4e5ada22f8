import { CheckField, TextField } from '../../parts/field.tsx';
import { SelectField } from '../../parts/select-field.tsx';
import { changeSettings, type FormPart } from './form-part.ts';
import { IssuerFields } from './issuer-fields.tsx';
import { ParameterRows } from './parameter-rows.tsx';
import { choices, t } from '../../text.ts';

/** A provider that Keybridge knows: what is stored, and how it is called. */
export interface KnownPreset {
  readonly name: string;
  readonly title: string;
}

interface CompatibilityFieldsProps {
  readonly part: FormPart;
  readonly presets: readonly KnownPreset[];
  readonly onAcceptIssuers: (issuers: { readonly named: string; readonly found: string }) => void;
}

/** Settings for servers that deviate from the standards. */
export function CompatibilityFields({ part, presets, onAcceptIssuers }: CompatibilityFieldsProps) {
  const { form, set, problem } = part;
  const { resource, preset, legacyEndpoints, audienceException } = form.settings;
  const change = changeSettings(part);
  const exact = typeof resource === 'object';
  return (
    <>
      <SelectField
        label={t('settings.preset')}
        value={preset ?? automatic}
        choices={presetChoices(presets, preset)}
        onChange={(name) => change({ preset: name === automatic ? undefined : name })}
        hint={t('settings.presetHint')}
        error={problem('settings.preset')}
        field="settings.preset"
      />
      <SelectField
        label={t('settings.resource')}
        value={exact ? 'value' : (resource ?? 'send')}
        choices={choices(['send', 'omit', 'value'], (choice) => t(`settings.resourceChoices.${choice}`))}
        onChange={(choice) =>
          change({ resource: choice === 'value' ? { value: '' } : choice === 'send' ? undefined : choice })
        }
        hint={t('settings.resourceHint')}
        {...(exact ? {} : { error: problem('settings.resource'), field: 'settings.resource' })}
      />
      {exact && (
        <TextField
          label={t('settings.resourceValue')}
          value={resource.value}
          onChange={(value) => change({ resource: { value } })}
          hint={t('settings.resourceValueHint')}
          error={problem('settings.resource')}
          field="settings.resource"
          maxLength={2_000}
          mono
        />
      )}
      <ParameterRows
        label={t('settings.authorizeParameters')}
        hint={t('settings.authorizeParametersHint', { placeholder: '{resource}' })}
        rows={form.authorizeRows}
        onChange={(authorizeRows) => set({ authorizeRows })}
        error={problem('settings.authorizeParameters')}
        field="settings.authorizeParameters"
      />
      <ParameterRows
        label={t('settings.tokenParameters')}
        hint={t('settings.tokenParametersHint', { placeholder: '{resource}' })}
        rows={form.tokenRows}
        onChange={(tokenRows) => set({ tokenRows })}
        error={problem('settings.tokenParameters')}
        field="settings.tokenParameters"
      />
      <IssuerFields part={part} onAccept={onAcceptIssuers} />
      <TextField
        label={t('settings.audienceException')}
        value={audienceException ?? ''}
        onChange={(audience) => change({ audienceException: audience })}
        hint={t('settings.audienceExceptionHint')}
        error={problem('settings.audienceException')}
        field="settings.audienceException"
        maxLength={2_000}
        optional
        mono
      />
      <CheckField
        label={t('settings.legacyEndpoints')}
        checked={legacyEndpoints ?? false}
        onChange={(yes) => change({ legacyEndpoints: yes || undefined })}
        hint={t('settings.legacyEndpointsHint')}
        error={problem('settings.legacyEndpoints')}
        field="settings.legacyEndpoints"
      />
      <CheckField
        label={t('settings.pkce')}
        checked={form.allowMissingPkce}
        onChange={(allowMissingPkce) => set({ allowMissingPkce })}
        hint={t('settings.pkceHint')}
        error={problem('allowMissingPkce')}
        field="allowMissingPkce"
      />
    </>
  );
}

/** Stands for automatic: no preset has this name. */
const automatic = '';

/** Keeps a stored name that this version does not know. */
function presetChoices(presets: readonly KnownPreset[], chosen: string | undefined): Readonly<Record<string, string>> {
  const known = Object.fromEntries(presets.map(({ name, title }) => [name, title]));
  const stored = chosen === undefined || chosen === 'none' || chosen in known ? {} : { [chosen]: chosen };
  return { [automatic]: t('settings.presetAuto'), none: t('settings.presetNone'), ...known, ...stored };
}
