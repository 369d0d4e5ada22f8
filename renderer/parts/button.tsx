import type { ReactNode, Ref } from 'react';

interface ButtonProps {
  readonly children: ReactNode;
  readonly onClick?: () => void;
  readonly kind?: 'primary' | 'tinted' | 'plain' | 'quiet' | 'danger';
  readonly submit?: boolean;
  /** In progress: cannot be pressed again, and is marked busy. */
  readonly busy?: boolean;
  readonly disabled?: boolean;
  /** The name for a screen reader, if the visible label repeats on the screen. */
  readonly label?: string;
  readonly small?: boolean;
  readonly ref?: Ref<HTMLButtonElement>;
}

/** While busy the button keeps its focus: it is marked, not disabled. */
export function Button({
  children,
  onClick,
  kind = 'plain',
  submit = false,
  busy = false,
  disabled = false,
  label,
  small = false,
  ref,
}: ButtonProps) {
  return (
    <button
      ref={ref}
      type={submit ? 'submit' : 'button'}
      className={`button button-${kind}${small ? ' button-small' : ''}`}
      onClick={busy ? undefined : onClick}
      disabled={disabled}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      aria-label={label}
    >
      {children}
    </button>
  );
}
