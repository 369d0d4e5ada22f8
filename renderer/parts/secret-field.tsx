import { useId, useRef, useState } from 'react';
import { after } from '../api.ts';
import { Button } from './button.tsx';
import { useFieldNotes, type FieldNotes } from './field.tsx';
import { t } from '../text.ts';

interface SecretFieldProps extends FieldNotes {
  readonly label: string;
  /** What was entered; null: to be deleted; undefined: stays as it is. */
  readonly value: string | null | undefined;
  readonly stored: boolean;
  readonly onChange: (value: string | null | undefined) => void;
  /** A key or token that usually comes as a file. */
  readonly file?: boolean;
}

/** The limit of the store; a larger file is not a secret. */
const maxBytes = 32_000;

/** A secret that can be entered, replaced and deleted, but not read: the window never receives it. */
export function SecretField({ label, value, stored, onChange, file = false, ...about }: SecretFieldProps) {
  const id = useId();
  const [tooLarge, setTooLarge] = useState(false);
  const { described, notes } = useFieldNotes({
    ...about,
    error: tooLarge ? t('settings.fileTooLarge') : about.error,
    hint: stored ? t('settings.storedHint') : (about.hint ?? t('settings.secretHint')),
  });
  const picker = useRef<HTMLInputElement>(null);
  const take = (chosen: File | undefined) => {
    if (!chosen) return;
    setTooLarge(chosen.size > maxBytes);
    if (chosen.size > maxBytes) return;
    after(chosen.text(), (text) => onChange(text === '' ? undefined : text));
  };
  return (
    <div className="field secret-field" data-field={about.field}>
      <label htmlFor={id}>
        {label}
        {stored && <span className="tag">{value === null ? t('settings.willBeForgotten') : t('settings.stored')}</span>}
      </label>
      <div className="field-line">
        <input
          id={id}
          type="password"
          value={value ?? ''}
          onChange={(event) => {
            setTooLarge(false);
            onChange(event.target.value === '' ? undefined : event.target.value);
          }}
          onPaste={(event) => {
            // The field itself would drop the line ends, and a PEM key is nothing without them.
            const text = event.clipboardData.getData('text');
            if (!file || !text.trim().includes('\n')) return;
            event.preventDefault();
            onChange(text);
          }}
          maxLength={maxBytes}
          {...described}
          autoComplete="off"
          spellCheck={false}
        />
        {file && (
          <>
            <input ref={picker} type="file" hidden tabIndex={-1} onChange={(event) => take(event.target.files?.[0])} />
            <Button
              small
              onClick={() => picker.current?.click()}
              label={t('common.labelled', { action: t('settings.fromFile'), name: label })}
            >
              {t('settings.fromFile')}
            </Button>
          </>
        )}
        {stored && (
          <Button
            small
            kind="quiet"
            onClick={() => onChange(value === null ? undefined : null)}
            label={t('common.labelled', {
              action: value === null ? t('settings.keep') : t('settings.forget'),
              name: label,
            })}
          >
            {value === null ? t('settings.keep') : t('settings.forget')}
          </Button>
        )}
      </div>
      {notes}
    </div>
  );
}
