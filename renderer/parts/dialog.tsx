import { useEffect, useId, useRef } from 'react';
import { messages } from '../messages.ts';
import { Button } from './button.tsx';
import { Foreign } from './foreign.tsx';

interface ConfirmDialogProps {
  readonly title: string;
  /** What the act will do, one line each. */
  readonly consequences: readonly string[];
  readonly confirm: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/**
 * Asks before something that cannot be undone. The browser's own modal dialog: Esc closes it, the focus stays inside
 * and goes back to where it was. The safe answer has the focus first.
 */
export function ConfirmDialog({ title, consequences, confirm, onConfirm, onClose }: ConfirmDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const listId = useId();
  useEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement;
    shown?.showModal();
    return () => {
      shown?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={titleId} aria-describedby={listId} onClose={onClose}>
      <h2 id={titleId}>
        <Foreign text={title} />
      </h2>
      <ul id={listId} className="consequences">
        {consequences.map((line) => (
          <li key={line}>
            <Foreign text={line} />
          </li>
        ))}
      </ul>
      <div className="dialog-foot">
        <Button onClick={onClose}>{messages.server.cancel}</Button>
        <Button kind="danger" onClick={onConfirm}>
          {confirm}
        </Button>
      </div>
    </dialog>
  );
}
