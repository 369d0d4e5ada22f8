import { useId } from 'react';
import { useFieldNotes, type FieldNotes } from './field.tsx';

interface SelectFieldProps<Value extends string> extends FieldNotes {
  readonly label: string;
  readonly value: Value;
  /** Value -> its text, in the order of the list. */
  readonly choices: Readonly<Record<Value, string>>;
  readonly onChange: (value: Value) => void;
}

/** A choice among a few values. */
export function SelectField<Value extends string>({
  label,
  value,
  choices,
  onChange,
  ...about
}: SelectFieldProps<Value>) {
  const id = useId();
  const { described, notes } = useFieldNotes(about);
  const values = Object.keys(choices) as Value[];
  return (
    <div className="field" data-field={about.field}>
      <label htmlFor={id}>{label}</label>
      <div className="field-line">
        <select
          id={id}
          value={value}
          {...described}
          onChange={(event) => onChange(values.find((one) => one === event.target.value) ?? value)}
        >
          {values.map((one) => (
            <option key={one} value={one}>
              {choices[one]}
            </option>
          ))}
        </select>
      </div>
      {notes}
    </div>
  );
}
