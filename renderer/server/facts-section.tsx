import type { ReactNode } from 'react';
import type { ServerDetail } from '../../shared/model.ts';
import { certificateText } from '../../shared/state-text.ts';
import { Foreign } from '../parts/foreign.tsx';
import { Section } from '../parts/page.tsx';
import { useShell } from '../shell.ts';
import { formatMoment } from './moments.ts';
import { t } from '../text.ts';

/** The authorization server, client and dates of this server's connection. */
export function FactsSection({ detail }: { readonly detail: ServerDetail }) {
  const { now } = useShell();
  return (
    <Section id="facts-title" title={t('server.facts')}>
      <dl className="card facts">
        <Fact name={t('server.issuer')}>{detail.issuer !== undefined && <Foreign text={detail.issuer} mono />}</Fact>
        <Fact name={t('server.preset')}>{detail.preset}</Fact>
        <Fact name={t('server.resource')}>
          {detail.resource !== undefined && <Foreign text={detail.resource} mono />}
        </Fact>
        <Fact name={t('server.clientId')}>
          {detail.clientId !== undefined && (
            <>
              <Foreign text={detail.clientId} mono />
              {detail.registration !== undefined && (
                <span className="tag">{t(`registeredBy.${detail.registration}`)}</span>
              )}
            </>
          )}
        </Fact>
        <Fact name={t('server.redirect')}>
          {detail.redirectUri !== undefined && <Foreign text={detail.redirectUri} mono />}
        </Fact>
        <Fact name={t('server.certificate')}>
          {detail.certificateExpiresAt !== undefined && certificateText(detail.certificateExpiresAt, now)}
        </Fact>
        <Fact name={t('server.added')}>{formatMoment(detail.addedAt)}</Fact>
        <Fact name={t('server.signedInAt')}>{detail.signedInAt !== undefined && formatMoment(detail.signedInAt)}</Fact>
        {detail.signedInAt !== undefined && (
          <Fact name={t('server.lastRefresh')}>
            {detail.lastRefreshAt === undefined ? t('server.never') : formatMoment(detail.lastRefreshAt)}
          </Fact>
        )}
      </dl>
    </Section>
  );
}

/** A line of the list; omitted while its value is unknown. */
function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  if (children === false || children === undefined) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
