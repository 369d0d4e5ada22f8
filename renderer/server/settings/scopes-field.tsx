import { TextField } from '../../parts/field.tsx';
import { SelectField } from '../../parts/select-field.tsx';
import { changeSettings, type FormPart } from './form-part.ts';
import { choices, t } from '../../text.ts';
import type { ServerSettings } from '../../../shared/server-settings.ts';

const scopesChoices = ['suggested', 'minimal', 'all', 'these'] as const;
type ScopesChoice = (typeof scopesChoices)[number];

interface ScopesFieldProps {
  readonly settings: ServerSettings;
  readonly onChange: (settings: ServerSettings) => void;
  /** Before the first sign-in: without the choice of individual scopes. */
  readonly short?: boolean;
  readonly error?: string | undefined;
}

/** How much access to ask for. */
export function ScopesField({ settings, onChange, short = false, error }: ScopesFieldProps) {
  const { scopes } = settings;
  const own = Array.isArray(scopes);
  const choose = (choice: ScopesChoice) => {
    if (choice === 'these') return onChange({ ...settings, scopes: own ? scopes : [''] });
    const { scopes: _old, ...rest } = settings;
    onChange(choice === 'suggested' ? rest : { ...rest, scopes: choice });
  };
  return (
    <>
      <SelectField<ScopesChoice>
        label={t('settings.scopes')}
        value={own ? 'these' : (scopes ?? 'suggested')}
        choices={choices(scopesChoices.slice(0, short ? 3 : 4), (choice) => t(`settings.scopesChoices.${choice}`))}
        onChange={choose}
        hint={t('settings.scopesHint')}
        {...(own ? {} : { error, field: 'settings.scopes' })}
      />
      {own && (
        <TextField
          label={t('settings.theseScopes')}
          value={scopes.join(' ')}
          onChange={(text) => onChange({ ...settings, scopes: text.split(' ') })}
          hint={t('settings.theseScopesHint')}
          error={error}
          field="settings.scopes"
          maxLength={4_000}
          mono
        />
      )}
    </>
  );
}

/** Whether to request the user's identity, which distinguishes accounts. */
export function IdentityField({ part }: { readonly part: FormPart }) {
  const { identity } = part.form.settings;
  return (
    <SelectField
      label={t('settings.identity')}
      value={identity === undefined ? 'auto' : identity ? 'yes' : 'no'}
      choices={choices(['auto', 'yes', 'no'], (choice) => t(`settings.identityChoices.${choice}`))}
      onChange={(choice) => changeSettings(part)({ identity: choice === 'auto' ? undefined : choice === 'yes' })}
      hint={t('settings.identityHint')}
      error={part.problem('settings.identity')}
      field="settings.identity"
    />
  );
}
