import type { SignInState } from '../../shared/model.ts';
import { messages } from '../messages.ts';
import { Foreign } from '../parts/foreign.tsx';
import { CheckIcon, PlusIcon } from '../parts/icons.tsx';

/** Who asked for more access, what is new, and what there is already. */
export function AccessRequest({ state }: { readonly state: Extract<SignInState, { kind: 'needs_access' }> }) {
  const { askedBy = [], scopes, granted = [] } = state;
  return (
    <div className="state-extra access-request">
      {askedBy.length > 0 && (
        <ul className="asks">
          {askedBy.map(({ host, operation }) => (
            <li key={`${host} ${operation}`}>
              <strong>
                <Foreign text={host} />
              </strong>{' '}
              {messages.access.wants}{' '}
              <Foreign text={operation} mono />
            </li>
          ))}
        </ul>
      )}
      <dl className="facts">
        <dt>{messages.access.fresh}</dt>
        <dd>
          <ul className="tags">
            {scopes.map((scope) => (
              <li key={scope} className="tag tag-attention mono">
                <PlusIcon size={12} /> <Foreign text={scope} />
              </li>
            ))}
          </ul>
        </dd>
        {granted.length > 0 && (
          <>
            <dt>{messages.access.already}</dt>
            <dd>
              <ul className="tags">
                {granted.map((scope) => (
                  <li key={scope} className="tag mono">
                    <CheckIcon size={12} /> <Foreign text={scope} />
                  </li>
                ))}
              </ul>
            </dd>
          </>
        )}
      </dl>
      <p className="hint">{messages.access.waits}</p>
    </div>
  );
}
