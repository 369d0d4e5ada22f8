import { Button } from '../../parts/button.tsx';
import { TextField } from '../../parts/field.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { changeSettings, type FormPart } from './form-part.ts';
import { t } from '../../text.ts';

interface Issuers {
  readonly named: string;
  readonly found: string;
}

/** The pair of different issuers that is accepted, and the pair that the last sign-in found. */
export function IssuerFields({
  part,
  onAccept,
}: {
  readonly part: FormPart;
  readonly onAccept: (issuers: Issuers) => void;
}) {
  const { issuerException = { named: '', found: '' } } = part.form.settings;
  const seen = part.lastError?.issuers;
  const accepted = seen?.named === issuerException.named && seen.found === issuerException.found;
  const text = (name: 'named' | 'found', label: string, hint: string) => (
    <TextField
      label={label}
      value={issuerException[name]}
      onChange={(value) => changeSettings(part)({ issuerException: { ...issuerException, [name]: value } })}
      hint={hint}
      error={part.problem(`settings.issuerException.${name}`)}
      field={`settings.issuerException.${name}`}
      maxLength={2_000}
      mono
    />
  );
  return (
    <fieldset className="field framed" data-field="settings.issuerException">
      <legend>{t('settings.issuerException')}</legend>
      <p className="hint">{t('settings.issuerExceptionHint')}</p>
      {seen && !accepted && <SeenIssuers issuers={seen} onAccept={() => onAccept(seen)} />}
      {text('named', t('settings.issuerNamed'), t('settings.issuerNamedHint'))}
      {text('found', t('settings.issuerFound'), t('settings.issuerFoundHint'))}
    </fieldset>
  );
}

/** Both names in full, one above the other, so that the difference can be seen. */
export function SeenIssuers({
  issuers,
  onAccept,
  busy = false,
}: {
  readonly issuers: Issuers;
  readonly onAccept: () => void;
  readonly busy?: boolean;
}) {
  return (
    <div className="seen-issuers">
      <p>{t('settings.issuersSeen')}</p>
      <dl>
        <dt>{t('settings.issuerNamed')}</dt>
        <dd>
          <Foreign text={issuers.named} mono />
        </dd>
        <dt>{t('settings.issuerFound')}</dt>
        <dd>
          <Foreign text={issuers.found} mono />
        </dd>
      </dl>
      <Button small busy={busy} onClick={onAccept}>
        {t('settings.acceptIssuers')}
      </Button>
    </div>
  );
}
