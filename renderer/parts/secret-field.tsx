import { useId, useRef } from 'react';
import { after } from '../api.ts';
import { settingsMessages as words } from '../settings-messages.ts';
import { Button } from './button.tsx';

interface SecretFieldProps {
  readonly label: string;
  /** What was entered; null: to be deleted; undefined: stays as it is. */
  readonly value: string | null | undefined;
  readonly stored: boolean;
  readonly onChange: (value: string | null | undefined) => void;
  readonly hint?: string;
  /** A key or a token, which comes as a file as a rule. */
  readonly file?: boolean;
}

/** The store takes no more; a file of another kind is no secret. */
const maxBytes = 32_000;

/** A secret that can be entered, replaced and deleted, never read: the window does not have it. */
export function SecretField({ label, value, stored, onChange, hint, file = false }: SecretFieldProps) {
  const id = useId();
  const hintId = useId();
  const picker = useRef<HTMLInputElement>(null);
  const take = (chosen: File | undefined) => {
    if (!chosen || chosen.size > maxBytes) return;
    after(chosen.text(), (text) => onChange(text === '' ? undefined : text));
  };
  return (
    <div className="field secret-field">
      <label htmlFor={id}>
        {label}
        {stored && <span className="tag">{value === null ? words.willBeForgotten : words.stored}</span>}
      </label>
      <div className="field-line">
        <input
          id={id}
          type="password"
          value={value ?? ''}
          onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.value)}
          onPaste={(event) => {
            // The field itself would drop the line ends, and a PEM key is nothing without them.
            const text = event.clipboardData.getData('text');
            if (!file || !text.trim().includes('\n')) return;
            event.preventDefault();
            onChange(text);
          }}
          maxLength={maxBytes}
          aria-describedby={hintId}
          autoComplete="off"
          spellCheck={false}
        />
        {file && (
          <>
            <input ref={picker} type="file" hidden tabIndex={-1} onChange={(event) => take(event.target.files?.[0])} />
            <Button small onClick={() => picker.current?.click()} label={`${words.fromFile} ${label}`}>
              {words.fromFile}
            </Button>
          </>
        )}
        {stored && (
          <Button small kind="quiet" onClick={() => onChange(value === null ? undefined : null)} label={`${value === null ? words.keep : words.forget}: ${label}`}>
            {value === null ? words.keep : words.forget}
          </Button>
        )}
      </div>
      <p id={hintId} className="hint">
        {stored ? words.storedHint : (hint ?? words.secretHint)}
      </p>
    </div>
  );
}
