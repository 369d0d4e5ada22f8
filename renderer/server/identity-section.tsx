import { useId } from 'react';
import type { ServerDetail } from '../../shared/model.ts';
import { messages } from '../messages.ts';
import { Foreign } from '../parts/foreign.tsx';
import { Section } from '../parts/page.tsx';
import { claimRows, type ClaimRow } from './claims.ts';

/** What can be read from the tokens. Shown only once there is a sign-in. */
export function IdentitySection({ detail }: { readonly detail: ServerDetail }) {
  if (detail.signedInAt === undefined) return null;
  const { accessTokenClaims, idTokenClaims } = detail;
  const none = accessTokenClaims === undefined && idTokenClaims === undefined;
  return (
    <Section id="identity-title" title={messages.server.identity} text={none ? messages.server.identityNone : messages.server.identityText}>
      {idTokenClaims && <Claims title={messages.server.idToken} claims={idTokenClaims} />}
      {accessTokenClaims && <Claims title={messages.server.accessToken} claims={accessTokenClaims} />}
    </Section>
  );
}

function Claims({ title, claims }: { readonly title: string; readonly claims: Readonly<Record<string, string>> }) {
  const { known, others } = claimRows(claims);
  const id = useId();
  return (
    <div className="claims">
      <h3 id={id}>{title}</h3>
      {known.length > 0 && <ClaimTable labelledBy={id} rows={known} />}
      {others.length > 0 && (
        <details className="more">
          <summary>{messages.server.moreClaims(others.length)}</summary>
          <ClaimTable labelledBy={id} rows={others} />
        </details>
      )}
    </div>
  );
}

function ClaimTable({ labelledBy, rows }: { readonly labelledBy: string; readonly rows: readonly ClaimRow[] }) {
  const withMeaning = rows.some(({ meaning }) => meaning !== undefined);
  const [meaningTitle, valueTitle, claimTitle] = messages.server.claimColumns;
  return (
    <table aria-labelledby={labelledBy}>
      <thead className="only-heard">
        <tr>
          {withMeaning && <th scope="col">{meaningTitle}</th>}
          {!withMeaning && <th scope="col">{claimTitle}</th>}
          <th scope="col">{valueTitle}</th>
          {withMeaning && <th scope="col">{claimTitle}</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ claim, meaning, value }) => (
          <tr key={claim}>
            <th scope="row">{meaning ?? <Foreign text={claim} mono />}</th>
            <td>
              <Foreign text={value} />
            </td>
            {withMeaning && (
              <td className="claim-name">
                <code>{claim}</code>
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
