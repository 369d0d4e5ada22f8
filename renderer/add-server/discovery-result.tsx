import { useEffect, useRef } from 'react';
import type { Discovered } from '../../shared/model.ts';
import { Foreign } from '../parts/foreign.tsx';
import { CheckIcon, KeyIcon } from '../parts/icons.tsx';
import { ScrollingList } from '../parts/scrolling.tsx';
import { hostOf } from '../status.ts';
import { t } from '../text.ts';

/** What discovery found, in plain words: who signs in, who sees it, what it asks for. */
export function DiscoveryResult({ found }: { readonly found: Discovered }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <div className="found-head">
        <span className="found-sign" aria-hidden="true">
          {found.needsSignIn ? <KeyIcon size={22} /> : <CheckIcon size={22} />}
        </span>
        <div>
          <h2 id="found-title" ref={heading} tabIndex={-1}>
            {found.needsSignIn ? t('add.wantsSignIn') : t('add.open')}
          </h2>
          <p className="found-summary">
            <Foreign text={found.summary} />
          </p>
        </div>
      </div>
      {found.needsSignIn && (
        <dl className="facts part">
          {found.issuer !== undefined && (
            <>
              <dt>{t('add.signInAt')}</dt>
              <dd>
                <Foreign text={hostOf(found.issuer)} />
              </dd>
            </>
          )}
          {found.otherHosts.length > 0 && (
            <>
              <dt>{t('add.alsoSeenBy')}</dt>
              <dd>
                <ScrollingList className="tags" label={t('add.alsoSeenBy')}>
                  {found.otherHosts.map((host) => (
                    <li key={host} className="tag tag-attention">
                      <Foreign text={host} />
                    </li>
                  ))}
                </ScrollingList>
                <p className="hint">{t('add.alsoSeenHint')}</p>
              </dd>
            </>
          )}
          <dt>{t('add.asksFor')}</dt>
          <dd>
            {found.scopes.length === 0 ? (
              t('add.asksForNothing')
            ) : (
              <ScrollingList className="tags" label={t('add.asksFor')}>
                {found.scopes.map((scope) => (
                  <li key={scope} className="tag mono">
                    <Foreign text={scope} />
                  </li>
                ))}
              </ScrollingList>
            )}
          </dd>
        </dl>
      )}
    </>
  );
}
