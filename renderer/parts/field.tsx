import { useId, type ReactNode } from 'react';
import { messages } from '../messages.ts';

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly optional?: boolean;
  readonly required?: boolean;
  readonly secret?: boolean;
  readonly mono?: boolean;
  readonly pattern?: string;
  /** Said by the browser when the value does not fit the pattern. */
  readonly patternHint?: string;
  readonly maxLength?: number;
  readonly invalid?: boolean;
  /** Can be read and selected, not changed: its value is being used. */
  readonly fixed?: boolean;
  readonly focusFirst?: boolean;
  /** Stands at the field's right end. */
  readonly children?: ReactNode;
}

/** One line of text with its label and hint. Never corrected, completed or spell-checked: it takes addresses and names. */
export function TextField(props: TextFieldProps) {
  const id = useId();
  const hintId = useId();
  return (
    <div className="field">
      <label htmlFor={id}>
        {props.label}
        {props.optional && <span className="field-optional"> {messages.add.optional}</span>}
      </label>
      <div className="field-line">
        <input
          id={id}
          className={props.mono ? 'mono' : undefined}
          type={props.secret ? 'password' : 'text'}
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
          placeholder={props.placeholder}
          required={props.required}
          pattern={props.pattern}
          title={props.patternHint}
          maxLength={props.maxLength}
          readOnly={props.fixed}
          aria-invalid={props.invalid || undefined}
          aria-describedby={props.hint === undefined ? undefined : hintId}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- the one field of a screen that the user opened to fill it
          autoFocus={props.focusFirst}
        />
        {props.children}
      </div>
      {props.hint !== undefined && (
        <p id={hintId} className="hint">
          {props.hint}
        </p>
      )}
    </div>
  );
}

interface CheckFieldProps {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly hint?: string;
  readonly required?: boolean;
}

export function CheckField({ label, checked, onChange, hint, required }: CheckFieldProps) {
  const hintId = useId();
  return (
    <div className="field check-field">
      <label>
        <input type="checkbox" required={required} checked={checked} onChange={(event) => onChange(event.target.checked)} aria-describedby={hint === undefined ? undefined : hintId} />
        <span>{label}</span>
      </label>
      {hint !== undefined && (
        <p id={hintId} className="hint">
          {hint}
        </p>
      )}
    </div>
  );
}
