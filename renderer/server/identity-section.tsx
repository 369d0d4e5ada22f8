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
    <div className="card claims">
      <h3 id={id}>{title}</h3>
      {known.length > 0 && <ClaimTable labelledBy={id} rows={known} />}
      {others.length > 0 && (
        <details className="more">
          <summary aria-label={`${messages.server.moreClaims(others.length)}: ${title}`}>{messages.server.moreClaims(others.length)}</summary>
          <ClaimTable labelledBy={id} rows={others} />
        </details>
      )}
    </div>
  );
}

function ClaimTable({ labelledBy, rows }: { readonly labelledBy: string; readonly rows: readonly ClaimRow[] }) {
  const { meaning, value, claim } = messages.server.claimColumns;
  return (
    <table aria-labelledby={labelledBy}>
      <thead className="only-heard">
        <tr>
          <th scope="col">{meaning}</th>
          <th scope="col">{value}</th>
          <th scope="col">{claim}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <ClaimLine key={row.claim} row={row} groupGoesOn={row.meaning !== undefined && rows[index - 1]?.meaning?.group === row.meaning.group} />
        ))}
      </tbody>
    </table>
  );
}

/** A group's word stands at its first line only, and is heard at each. */
function ClaimLine({ row: { claim, meaning, value }, groupGoesOn }: { readonly row: ClaimRow; readonly groupGoesOn: boolean }) {
  return (
    <tr className={groupGoesOn ? 'goes-on' : undefined}>
      <th scope="row">
        {meaning ? (
          <>
            <span className="claim-group">
              <span className={groupGoesOn ? 'only-heard' : undefined}>{meaning.group}</span>
            </span>
            {meaning.words}
          </>
        ) : (
          <Foreign text={claim} mono />
        )}
      </th>
      <td>
        <Foreign text={value} />
      </td>
      <td className="claim-name">{meaning && <code>{claim}</code>}</td>
    </tr>
  );
}
