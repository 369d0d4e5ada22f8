import { useRef } from 'react';
import { Button } from '../../parts/button.tsx';
import { useFieldNotes } from '../../parts/field.tsx';
import { CloseIcon, PlusIcon } from '../../parts/icons.tsx';
import { isWrong } from './problems.ts';
import type { ParameterRow } from './settings-change.ts';
import { t } from '../../text.ts';

interface ParameterRowsProps {
  readonly label: string;
  readonly hint: string;
  readonly rows: readonly ParameterRow[];
  readonly onChange: (rows: readonly ParameterRow[]) => void;
  readonly error: string | undefined;
  readonly field: string;
}

/** A list of name and value rows. Focuses an added row, or the row before a removed one. */
export function ParameterRows({ label, hint, rows, onChange, error, field }: ParameterRowsProps) {
  const box = useRef<HTMLFieldSetElement>(null);
  const { described, notes } = useFieldNotes({ hint, error });
  const wrong = isWrong(rows);
  const change = (at: number, changed: Partial<ParameterRow>) =>
    onChange(rows.map((row, index) => (index === at ? { ...row, ...changed } : row)));
  const focus = (selector: string, at: number) =>
    requestAnimationFrame(() => [...(box.current?.querySelectorAll<HTMLElement>(selector) ?? [])].at(at)?.focus());
  const add = () => {
    onChange([...rows, { name: '', value: '' }]);
    focus('.parameter-name', -1);
  };
  const remove = (at: number) => {
    onChange(rows.filter((_row, index) => index !== at));
    focus(rows.length > 1 ? '.parameter-name' : '.button', Math.max(0, at - 1));
  };
  return (
    <fieldset
      ref={box}
      className="field parameters"
      data-field={field}
      aria-describedby={described['aria-describedby']}
    >
      <legend>{label}</legend>
      {rows.map((row, at) => (
        <ParameterFields
          // oxlint-disable-next-line react/no-array-index-key -- a row has no name of its own until it is typed
          key={at}
          row={row}
          number={rows.length > 1 ? at + 1 : undefined}
          invalid={error !== undefined && wrong(row)}
          onChange={(changed) => change(at, changed)}
          onRemove={() => remove(at)}
        />
      ))}
      <Button
        small
        kind="quiet"
        onClick={add}
        label={t('common.labelled', { action: t('settings.addParameter'), name: label })}
      >
        <PlusIcon size={16} />
        {t('settings.addParameter')}
      </Button>
      {notes}
    </fieldset>
  );
}

interface ParameterFieldsProps {
  readonly row: ParameterRow;
  /** Where there are several rows: which one it is, from 1. */
  readonly number: number | undefined;
  readonly invalid: boolean;
  readonly onChange: (changed: Partial<ParameterRow>) => void;
  readonly onRemove: () => void;
}

function ParameterFields({ row, number, invalid, onChange, onRemove }: ParameterFieldsProps) {
  const field = { 'aria-invalid': invalid || undefined, autoComplete: 'off', spellCheck: false };
  return (
    <div className="field-line parameter">
      <input
        {...field}
        className="mono parameter-name"
        aria-label={number === undefined ? t('settings.parameterName') : t('settings.parameterNameNumber', { number })}
        placeholder={t('settings.parameterName')}
        value={row.name}
        onChange={(event) => onChange({ name: event.target.value })}
        maxLength={100}
      />
      <input
        {...field}
        className="mono parameter-value"
        aria-label={
          number === undefined ? t('settings.parameterValue') : t('settings.parameterValueNumber', { number })
        }
        placeholder={t('settings.parameterValue')}
        value={row.value}
        onChange={(event) => onChange({ value: event.target.value })}
        maxLength={2_000}
      />
      <button
        type="button"
        className="icon-button"
        aria-label={
          row.name === '' ? t('settings.removeThisParameter') : t('settings.removeParameter', { name: row.name })
        }
        onClick={onRemove}
      >
        <CloseIcon size={18} />
      </button>
    </div>
  );
}
