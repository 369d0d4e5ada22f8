import type { ServerSettings } from '../../../shared/model.ts';
import { TextField } from '../../parts/field.tsx';
import { SelectField } from '../../parts/select-field.tsx';
import { changeSettings, type FormPart } from './form-part.ts';
import { settingsMessages as words } from './settings-messages.ts';

type ScopesChoice = keyof typeof words.scopesChoices;

interface ScopesFieldProps {
  readonly settings: ServerSettings;
  readonly onChange: (settings: ServerSettings) => void;
  /** Before the first sign-in: only the words, without a list of one's own. */
  readonly short?: boolean;
  readonly error?: string | undefined;
}

/** How much access to ask for. */
export function ScopesField({ settings, onChange, short = false, error }: ScopesFieldProps) {
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
      <SelectField<ScopesChoice>
        label={words.scopes}
        value={own ? 'these' : (scopes ?? 'suggested')}
        choices={(short ? few : { ...few, these }) as Record<ScopesChoice, string>}
        onChange={choose}
        hint={words.scopesHint}
        {...(own ? {} : { error, field: 'settings.scopes' })}
      />
      {own && (
        <TextField
          label={words.theseScopes}
          value={scopes.join(' ')}
          onChange={(text) => onChange({ ...settings, scopes: text.split(' ') })}
          hint={words.theseScopesHint}
          error={error}
          field="settings.scopes"
          maxLength={4_000}
          mono
        />
      )}
    </>
  );
}

/** Whether to ask who signs in: it tells accounts apart. */
export function IdentityField({ part }: { readonly part: FormPart }) {
  const { identity } = part.form.settings;
  return (
    <SelectField
      label={words.identity}
      value={identity === undefined ? 'auto' : identity ? 'yes' : 'no'}
      choices={words.identityChoices}
      onChange={(choice) => changeSettings(part)({ identity: choice === 'auto' ? undefined : choice === 'yes' })}
      hint={words.identityHint}
      error={part.problem('settings.identity')}
      field="settings.identity"
    />
  );
}
