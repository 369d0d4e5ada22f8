import { useId, type ReactNode } from 'react';
import type { ServerDetail } from '../../shared/model.ts';
import { Foreign } from '../parts/foreign.tsx';
import { CheckIcon, WarningIcon } from '../parts/icons.tsx';
import { Section } from '../parts/page.tsx';
import { claimRows, type ClaimRow } from './claims.ts';
import { t } from '../text.ts';

/**
 * Who signed in, what can be read from the tokens, and what a person should know of both. Shown only once there is a
 * sign-in.
 */
export function IdentitySection({ detail }: { readonly detail: ServerDetail }) {
  if (detail.signedInAt === undefined) return null;
  const { accessTokenClaims, idTokenClaims, introspection, tokenNotes } = detail;
  const none = accessTokenClaims === undefined && idTokenClaims === undefined && introspection === undefined;
  return (
    <Section
      id="identity-title"
      title={t('server.identity')}
      text={none ? t('server.identityNone') : t('server.identityText')}
    >
      {tokenNotes.length > 0 && <Notes notes={tokenNotes} />}
      {idTokenClaims && (
        <Claims title={t('server.idToken')} text={<Vouched detail={detail} />} claims={idTokenClaims} />
      )}
      {accessTokenClaims && <Claims title={t('server.accessToken')} claims={accessTokenClaims} />}
      {introspection && (
        <Claims
          title={t('server.introspection')}
          text={introspection.active ? t('server.introspectionActive') : t('server.introspectionInactive')}
          claims={introspection.claims}
        />
      )}
    </Section>
  );
}

function Notes({ notes }: { readonly notes: readonly string[] }) {
  const id = useId();
  return (
    <div className="card token-notes">
      <h3 id={id}>{t('server.tokenNotes')}</h3>
      <ul aria-labelledby={id}>
        {notes.map((note) => (
          <li key={note}>
            <WarningIcon size={18} />
            <Foreign text={note} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Vouched({ detail: { identityVerified } }: { readonly detail: ServerDetail }) {
  if (!identityVerified) return t('server.notVouched');
  return (
    <>
      <CheckIcon size={16} />
      <span>{t('server.vouched')}</span>
    </>
  );
}

interface ClaimsProps {
  readonly title: string;
  readonly text?: ReactNode;
  readonly claims: Readonly<Record<string, string>>;
}

function Claims({ title, text, claims }: ClaimsProps) {
  const { known, others } = claimRows(claims);
  const id = useId();
  return (
    <div className="card claims">
      <h3 id={id}>{title}</h3>
      {text !== undefined && <p className="claims-text">{text}</p>}
      {known.length > 0 && <ClaimTable labelledBy={id} rows={known} />}
      {others.length > 0 && (
        <details className="more">
          <summary
            aria-label={t('common.labelled', { action: t('server.moreClaims', { count: others.length }), name: title })}
          >
            {t('server.moreClaims', { count: others.length })}
          </summary>
          <ClaimTable labelledBy={id} rows={others} />
        </details>
      )}
    </div>
  );
}

function ClaimTable({ labelledBy, rows }: { readonly labelledBy: string; readonly rows: readonly ClaimRow[] }) {
  return (
    <table aria-labelledby={labelledBy}>
      <thead className="only-heard">
        <tr>
          <th scope="col">{t('server.claimColumns.meaning')}</th>
          <th scope="col">{t('server.claimColumns.value')}</th>
          <th scope="col">{t('server.claimColumns.claim')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <ClaimLine
            key={row.claim}
            row={row}
            groupGoesOn={row.meaning !== undefined && rows[index - 1]?.meaning?.group === row.meaning.group}
          />
        ))}
      </tbody>
    </table>
  );
}

/** Shows the group at its first row only; a screen reader announces it for each row. */
function ClaimLine({
  row: { claim, meaning, value },
  groupGoesOn,
}: {
  readonly row: ClaimRow;
  readonly groupGoesOn: boolean;
}) {
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
