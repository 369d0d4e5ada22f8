import { durationText } from '../../shared/state-text.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { useShell } from '../shell.ts';
import { hostOf } from '../status.ts';
import { rich, t } from '../text.ts';

interface UserCodeProps {
  readonly code: string;
  /** The page where it is entered. */
  readonly url: string;
  /** Unix ms. */
  readonly endsAt: number | undefined;
}

/** A device code: where to enter it, on any device, and how long it is valid. */
export function UserCode({ code, url, endsAt }: UserCodeProps) {
  const { now } = useShell();
  return (
    <ol className="todo device">
      <li>
        <p>{rich('device.open', { host: <Foreign text={hostOf(url)} /> })}</p>
        <div className="device-line">
          <span className="device-url">
            <Foreign text={url} mono />
          </span>
          <CopyButton small text={url}>
            {t('server.copyLink')}
          </CopyButton>
        </div>
      </li>
      <li>
        <p>{t('device.enter')}</p>
        <div className="device-line">
          <strong className="user-code mono" aria-hidden="true">
            {code}
          </strong>
          <span className="only-heard">{code.split('').join(' ')}</span>
          <CopyButton small text={code} label={t('device.copyCode')}>
            {t('common.copy')}
          </CopyButton>
        </div>
        {endsAt !== undefined && (
          <p className="hint">
            {endsAt > now ? t('device.left', { duration: durationText(endsAt - now) }) : t('device.over')}
          </p>
        )}
      </li>
    </ol>
  );
}
