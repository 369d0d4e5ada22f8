import type { ServerDetail } from '../../shared/model.ts';
import { Foreign } from '../parts/foreign.tsx';
import { CheckIcon, MinusIcon, PlusIcon } from '../parts/icons.tsx';
import { Section } from '../parts/page.tsx';
import { ScrollingList } from '../parts/scrolling.tsx';
import { compareScopes, type ScopeStanding } from './scopes.ts';
import { t } from '../text.ts';

/** What was asked for and what was granted; a difference is said in words. */
export function AccessSection({ detail }: { readonly detail: ServerDetail }) {
  const wanted = detail.status.state.kind === 'needs_access' ? detail.status.state.scopes : [];
  const learned = Object.entries(detail.learnedScopes ?? {});
  const scopes = compareScopes(detail.requestedScopes, detail.grantedScopes, wanted);
  return (
    <Section id="access-title" title={t('server.access')}>
      {scopes.length === 0 ? (
        <p className="card quiet">{t('server.noAccess')}</p>
      ) : (
        <ScrollingList className="card scopes" label={t('server.access')}>
          {scopes.map(({ scope, standing }) => (
            <li key={scope} className={`scope scope-${standing}`}>
              <ScopeSign standing={standing} />
              <Foreign text={scope} mono />
              <span className={standing === 'granted' ? 'only-heard' : 'scope-standing'}>{standingText(standing)}</span>
            </li>
          ))}
        </ScrollingList>
      )}
      {learned.length > 0 && (
        <div className="card learned">
          <p className="hint">{t('access.learned')}</p>
          <dl className="facts">
            {learned.map(([operation, needed]) => (
              <LearnedScopes key={operation} operation={operation} scopes={needed} />
            ))}
          </dl>
        </div>
      )}
    </Section>
  );
}

function LearnedScopes({ operation, scopes }: { readonly operation: string; readonly scopes: readonly string[] }) {
  return (
    <>
      <dt>
        <Foreign text={operation} mono />
      </dt>
      <dd>
        <Foreign text={scopes.join(' ')} mono />
      </dd>
    </>
  );
}

function ScopeSign({ standing }: { readonly standing: ScopeStanding }) {
  if (standing === 'wanted') return <PlusIcon size={16} />;
  return standing === 'not_granted' ? <MinusIcon size={16} /> : <CheckIcon size={16} />;
}

function standingText(standing: ScopeStanding): string {
  return {
    granted: t('server.granted'),
    not_granted: t('server.notGranted'),
    extra: t('server.extra'),
    wanted: t('server.wanted'),
  }[standing];
}
