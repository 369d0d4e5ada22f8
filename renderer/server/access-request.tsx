import type { SignInState } from '../../shared/model.ts';
import { messages } from '../messages.ts';
import { Foreign } from '../parts/foreign.tsx';
import { CheckIcon, PlusIcon } from '../parts/icons.tsx';
import { ScrollingList } from '../parts/scrolling.tsx';

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
              {messages.access.wants} <Foreign text={operation} mono />
            </li>
          ))}
        </ul>
      )}
      <dl className="facts">
        <dt>{messages.access.fresh}</dt>
        <dd>
          <ScrollingList className="tags" label={messages.access.fresh}>
            {scopes.map((scope) => (
              <li key={scope} className="tag tag-attention mono">
                <PlusIcon size={12} /> <Foreign text={scope} />
              </li>
            ))}
          </ScrollingList>
        </dd>
        {granted.length > 0 && (
          <>
            <dt>{messages.access.already}</dt>
            <dd>
              <ScrollingList className="tags" label={messages.access.already}>
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
      <p className="hint">{messages.access.waits}</p>
    </div>
  );
}
