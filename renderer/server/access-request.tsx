import { Foreign } from '../parts/foreign.tsx';
import { CheckIcon, PlusIcon } from '../parts/icons.tsx';
import { ScrollingList } from '../parts/scrolling.tsx';
import { rich, t } from '../text.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';

/** Who asked for more access, what is new, and what there is already. */
export function AccessRequest({ state }: { readonly state: Extract<SignInState, { kind: 'needs_access' }> }) {
  const { askedBy = [], scopes, granted = [] } = state;
  return (
    <div className="state-extra access-request">
      {askedBy.length > 0 && (
        <ul className="asks">
          {askedBy.map(({ host, operation }) => (
            <li key={`${host} ${operation}`}>
              {rich('access.wants', {
                app: (
                  <strong>
                    <Foreign text={host} />
                  </strong>
                ),
                operation: <Foreign text={operation} mono />,
              })}
            </li>
          ))}
        </ul>
      )}
      <dl className="facts">
        <dt>{t('access.fresh')}</dt>
        <dd>
          <ScrollingList className="tags" label={t('access.fresh')}>
            {scopes.map((scope) => (
              <li key={scope} className="tag tag-attention mono">
                <PlusIcon size={12} /> <Foreign text={scope} />
              </li>
            ))}
          </ScrollingList>
        </dd>
        {granted.length > 0 && (
          <>
            <dt>{t('access.already')}</dt>
            <dd>
              <ScrollingList className="tags" label={t('access.already')}>
                {granted.map((scope) => (
                  <li key={scope} className="tag mono">
                    <CheckIcon size={12} /> <Foreign text={scope} />
                  </li>
                ))}
              </ScrollingList>
            </dd>
          </>
        )}
      </dl>
      <p className="hint">{t('access.waits')}</p>
    </div>
  );
}
