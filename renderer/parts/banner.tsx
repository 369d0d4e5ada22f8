import type { ReactNode } from 'react';
import type { ErrorInfo } from '../../shared/reply.ts';
import { plainMessage, remedyHere, type ErrorPlace } from '../error-text.ts';
import type { Notice } from '../shell.ts';
import { Button } from './button.tsx';
import { ErrorDetails } from './error-details.tsx';
import { Foreign } from './foreign.tsx';
import { CheckIcon, CloseIcon, ErrorIcon, WarningIcon } from './icons.tsx';
import { t } from '../text.ts';

interface BannerProps {
  readonly tone: 'ok' | 'attention' | 'blocked';
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
  readonly onClose?: (() => void) | undefined;
}

const icons = { ok: CheckIcon, attention: WarningIcon, blocked: ErrorIcon } as const;

/** A message across the width of the screen. */
export function Banner({ tone, title, children, action, onClose }: BannerProps) {
  const BannerIcon = icons[tone];
  return (
    <div className={`banner tone-${tone}`} role={tone === 'blocked' ? 'alert' : 'status'}>
      <BannerIcon />
      <div className="banner-words">
        <p className="banner-title">
          <Foreign text={title} />
        </p>
        {children}
      </div>
      {action}
      {onClose && (
        <button type="button" className="icon-button" aria-label={t('common.close')} onClick={onClose}>
          <CloseIcon size={18} />
        </button>
      )}
    </div>
  );
}

interface ErrorTextProps {
  readonly error: ErrorInfo;
  /** What it is about, for the operator who is asked: a server's name and address. */
  readonly about?: string;
  /** The action that helps, if there is one here. */
  readonly action?: ReactNode;
  readonly place?: ErrorPlace | undefined;
}

/** An error: what happened, what to do, and collapsed details for an operator or a report. */
export function ErrorText({ error, about, action, place }: ErrorTextProps) {
  const remedy = remedyHere(error, place);
  return (
    <div className="error-words">
      <p>
        <Foreign text={plainMessage(error)} />
      </p>
      {remedy !== undefined && (
        <p className="remedy">
          <Foreign text={remedy} />
        </p>
      )}
      {action !== undefined && action !== false && <div className="error-foot">{action}</div>}
      <ErrorDetails error={error} about={about} />
    </div>
  );
}

interface NoticeBannerProps {
  readonly notice: Notice;
  /** Where an error is shown. */
  readonly place?: ErrorPlace;
  readonly onClose?: () => void;
  /** Opens the server that an error is about, unless it is on the screen. */
  readonly onShow?: (() => void) | undefined;
}

export function NoticeBanner({ notice, place, onClose, onShow }: NoticeBannerProps) {
  if (notice.kind === 'error') {
    const show = onShow && (
      <Button small onClick={onShow}>
        {t('common.showServer')}
      </Button>
    );
    return (
      <Banner tone="blocked" title={notice.title} onClose={onClose}>
        <ErrorText error={notice.error} action={show} place={place} />
      </Banner>
    );
  }
  const { act, lines = [] } = notice;
  return (
    <Banner
      tone={notice.kind === 'done' ? 'ok' : 'attention'}
      title={notice.title}
      onClose={onClose}
      action={
        act && (
          <Button small onClick={act.run}>
            {act.words}
          </Button>
        )
      }
    >
      {notice.text !== undefined && notice.text !== '' && (
        <p>
          <Foreign text={notice.text} />
        </p>
      )}
      {lines.length > 0 && (
        <ul className="notice-lines">
          {lines.map((line) => (
            <li key={line}>
              <Foreign text={line} />
            </li>
          ))}
        </ul>
      )}
    </Banner>
  );
}
