import { useId, type ReactNode } from 'react';
import { Foreign } from './foreign.tsx';
import { ErrorIcon } from './icons.tsx';
import { t } from '../text.ts';

/** What any field may say about itself. */
export interface FieldNotes {
  readonly hint?: string | undefined;
  /** What is wrong with the value, in a sentence; heard with the field. */
  readonly error?: string | undefined;
  /** How errors name the field (`ErrorInfo.field`), so that it can be found. */
  readonly field?: string | undefined;
}

/** Hint and error below a field. Spread `described` onto the field. */
export function useFieldNotes({ hint, error }: FieldNotes): {
  readonly described: { readonly 'aria-describedby'?: string; readonly 'aria-invalid'?: true };
  readonly notes: ReactNode;
} {
  const hintId = useId();
  const errorId = useId();
  const ids = [error === undefined ? undefined : errorId, hint === undefined ? undefined : hintId].filter(
    (id) => id !== undefined,
  );
  return {
    described: {
      ...(ids.length > 0 ? { 'aria-describedby': ids.join(' ') } : {}),
      ...(error === undefined ? {} : { 'aria-invalid': true }),
    },
    notes: (
      <>
        {error !== undefined && (
          <p id={errorId} className="field-error">
            <ErrorIcon size={16} />
            <Foreign text={error} />
          </p>
        )}
        {hint !== undefined && (
          <p id={hintId} className="hint">
            {hint}
          </p>
        )}
      </>
    ),
  };
}

interface TextFieldProps extends FieldNotes {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
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

/**
 * One line of text with its label and hint. Never corrected, completed or spell-checked: it takes addresses and names.
 */
export function TextField(props: TextFieldProps) {
  const id = useId();
  const { described, notes } = useFieldNotes(props);
  return (
    <div className="field" data-field={props.field}>
      <label htmlFor={id}>
        {props.label}
        {props.optional && <span className="field-optional"> {t('add.optional')}</span>}
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
          {...described}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- the one field of a screen that the user opened to fill it
          autoFocus={props.focusFirst}
        />
        {props.children}
      </div>
      {notes}
    </div>
  );
}

interface CheckFieldProps extends FieldNotes {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly required?: boolean;
}

export function CheckField({ label, checked, onChange, required, ...about }: CheckFieldProps) {
  const { described, notes } = useFieldNotes(about);
  return (
    <div className="field check-field" data-field={about.field}>
      <label>
        <input
          type="checkbox"
          required={required}
          checked={checked}
          onChange={(event) => onChange(event.target.checked)}
          {...described}
        />
        <span>{label}</span>
      </label>
      {notes}
    </div>
  );
}
