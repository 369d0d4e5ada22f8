import { useEffect, useId, useRef, type FormEvent, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { Button } from './button.tsx';
import { Foreign } from './foreign.tsx';
import { t } from '../text.ts';

interface DialogProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly onClose: () => void;
}

/**
 * A native modal `<dialog>`: Esc closes it, the focus stays inside and returns to where it was. The explanatory text
 * comes first in `children`.
 */
function Dialog({ title, children, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement;
    shown?.showModal();
    return () => {
      shown?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  // Beside the page, not inside it: a form in a dialog may be opened from within another form.
  return createPortal(
    <dialog ref={dialog} className="dialog" aria-labelledby={titleId} onClose={onClose}>
      <h2 id={titleId}>
        <Foreign text={title} />
      </h2>
      {children}
    </dialog>,
    document.body,
  );
}

interface ConfirmDialogProps {
  readonly title: string;
  /** What the act will do, one line each. */
  readonly consequences: readonly string[];
  readonly confirm: string;
  /** Nothing is lost by it. */
  readonly harmless?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Confirms an action that cannot be undone. Cancel has the focus first. */
export function ConfirmDialog({
  title,
  consequences,
  confirm,
  harmless = false,
  onConfirm,
  onClose,
}: ConfirmDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <ul className="consequences">
        {consequences.map((line) => (
          <li key={line}>
            <Foreign text={line} />
          </li>
        ))}
      </ul>
      <div className="dialog-foot">
        <Button onClick={onClose}>{t('server.cancel')}</Button>
        <Button kind={harmless ? 'primary' : 'danger'} onClick={onConfirm}>
          {confirm}
        </Button>
      </div>
    </Dialog>
  );
}

interface FormDialogProps {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly busy: boolean;
  readonly children: ReactNode;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
}

interface InfoDialogProps {
  readonly title: string;
  readonly text: string;
  readonly children: ReactNode;
  readonly onClose: () => void;
}

/** Shows information until it is closed. */
export function InfoDialog({ title, text, children, onClose }: InfoDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p className="dialog-text">{text}</p>
      {children}
      <div className="dialog-foot">
        <Button kind="primary" onClick={onClose}>
          {t('common.done')}
        </Button>
      </div>
    </Dialog>
  );
}

/** A dialog with a form. Its first field has the focus. */
export function FormDialog({ title, text, confirm, busy, children, onSubmit, onClose }: FormDialogProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // React would hand it on to the form that opened the dialog.
    event.stopPropagation();
    if (!busy) onSubmit();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <p className="dialog-text">{text}</p>
        {children}
        <div className="dialog-foot">
          <Button onClick={onClose}>{t('server.cancel')}</Button>
          <Button kind="primary" submit busy={busy}>
            {confirm}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
