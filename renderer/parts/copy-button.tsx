import { useEffect, useState } from 'react';
import { after } from '../api.ts';
import { Button } from './button.tsx';
import { CheckIcon, CopyIcon } from './icons.tsx';
import { t } from '../text.ts';

type Result = 'idle' | 'copied' | 'failed';

interface CopyButtonProps {
  /** A function is called on each click. */
  readonly text: string | (() => string);
  readonly children: string;
  readonly kind?: 'primary' | 'plain' | 'quiet';
  readonly label?: string;
  readonly small?: boolean;
}

/** Copies, and confirms it for two seconds, also to a screen reader. */
export function CopyButton({ text, children, kind = 'plain', label, small = false }: CopyButtonProps) {
  const [result, setResult] = useState<Result>('idle');
  useEffect(() => {
    if (result === 'idle') return undefined;
    const timer = setTimeout(() => setResult('idle'), 2_000);
    return () => clearTimeout(timer);
  }, [result]);
  const copy = () => {
    after(copyText(typeof text === 'string' ? text : text()), (copied) => setResult(copied ? 'copied' : 'failed'));
  };
  return (
    <span className="copy">
      {/* "Copied" is no part of the label: the words on a button are in its name (WCAG 2.5.3). */}
      <Button
        kind={kind}
        small={small}
        onClick={copy}
        {...(label === undefined || result === 'copied' ? {} : { label })}
      >
        {result === 'copied' ? <CheckIcon size={16} /> : <CopyIcon size={16} />}
        <span>{result === 'copied' ? t('common.copied') : children}</span>
      </Button>
      <output className={result === 'failed' ? 'copy-failed' : 'only-heard'}>
        {result === 'copied' && t('common.copied')}
        {result === 'failed' && t('common.copyFailed')}
      </output>
    </span>
  );
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** The older clipboard API needs no permission, only the user's click. */
function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'only-heard';
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}
