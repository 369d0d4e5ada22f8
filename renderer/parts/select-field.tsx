import { useId } from 'react';

interface SelectFieldProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  /** Value -> its words, in the order of the list. */
  readonly choices: Readonly<Record<Value, string>>;
  readonly onChange: (value: Value) => void;
  readonly hint?: string | undefined;
}

/** One of a few. */
export function SelectField<Value extends string>({ label, value, choices, onChange, hint }: SelectFieldProps<Value>) {
  const id = useId();
  const hintId = useId();
  const values = Object.keys(choices) as Value[];
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="field-line">
        <select id={id} value={value} aria-describedby={hint === undefined ? undefined : hintId} onChange={(event) => onChange(values.find((one) => one === event.target.value) ?? value)}>
          {values.map((one) => (
            <option key={one} value={one}>
              {choices[one]}
            </option>
          ))}
        </select>
      </div>
      {hint !== undefined && (
        <p id={hintId} className="hint">
          {hint}
        </p>
      )}
    </div>
  );
}
