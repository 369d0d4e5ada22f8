import type { ServerDetail } from '../../shared/model.ts';
import { durationText } from '../../shared/state-text.ts';
import { useShell } from '../shell.ts';
import { lifeLeft } from '../status.ts';
import { t } from '../text.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';

interface TokenLifeProps {
  readonly state: Extract<SignInState, { kind: 'signed_in' | 'retrying' }>;
  readonly detail: ServerDetail | undefined;
}

/** How much of the access token's lifetime is left, as a bar and in words. */
export function TokenLife({ state, detail }: TokenLifeProps) {
  const { now } = useShell();
  if (state.kind === 'retrying') return null;
  const left = lifeLeft(detail?.lastRefreshAt ?? detail?.signedInAt, state.expiresAt, now);
  const words = lifeText(state, now, detail);
  return (
    <div className="life state-extra">
      <p className="life-words">
        <span>{t('server.life')}</span>
        <span>{words}</span>
      </p>
      {left !== undefined && (
        <progress className="life-bar" max={1} value={left} aria-label={t('server.life')} aria-valuetext={words} />
      )}
    </div>
  );
}

function lifeText(
  state: Extract<SignInState, { kind: 'signed_in' }>,
  now: number,
  detail: ServerDetail | undefined,
): string {
  if (state.expiresAt === undefined) {
    const held = detail?.accessTokenClaims !== undefined || !state.renewable;
    return held ? t('server.lifeUnknown') : t('server.lifeNone');
  }
  if (state.expiresAt > now) return t('server.lifeLeft', { duration: durationText(state.expiresAt - now) });
  return state.renewable ? t('server.lifeOver') : t('server.lifeOverForGood');
}
