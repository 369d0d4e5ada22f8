import type { ReactNode } from 'react';
import type { ErrorInfo } from '../../shared/reply.ts';
import { plainWords, remedyHere, type ErrorPlace } from '../error-text.ts';
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

/** Something to know about, across the screen. */
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

interface ErrorWordsProps {
  readonly error: ErrorInfo;
  /** What it is about, for the operator who is asked: a server's name and address. */
  readonly about?: string;
  /** What can be done about it here. */
  readonly action?: ReactNode;
  readonly place?: ErrorPlace | undefined;
}

/** An error: what happened in plain words, what to do, and folded away what an operator or a report needs. */
export function ErrorWords({ error, about, action, place }: ErrorWordsProps) {
  const remedy = remedyHere(error, place);
  return (
    <div className="error-words">
      <p>
        <Foreign text={plainWords(error)} />
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
  /** Leads to the server that an error is about, where that is not what is on the screen. */
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
        <ErrorWords error={notice.error} action={show} place={place} />
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
