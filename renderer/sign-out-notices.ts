import type { Output } from '../shared/api.ts';
import type { SignOutReport } from '../shared/model.ts';
import { signedOutTitle, signOutText } from '../shared/sign-out-text.ts';
import type { Notice } from './shell.ts';
import { t } from './text.ts';

/** What signing out everywhere did: which servers confirmed it, and what is left to do. */
export function signedOutEverywhereNotice(reports: Output<'signOutEverywhere'>): Notice {
  const named = (fits: (report: SignOutReport) => boolean): string[] =>
    reports
      .filter(({ report }) => fits(report))
      .map(({ server, account }) => (account === undefined ? server : `${server} (${account})`));
  const line = (id: EverywhereResult, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [t(`everywhere.${id}`, { names: names.join(', ') })];
  const revoked = (result: SignOutReport['revoked']) => named((report) => report.deleted && report.revoked === result);
  const kept = named(({ deleted }) => !deleted);
  const failed = revoked('failed');
  const lines = [
    ...line('kept', kept),
    ...line('failed', failed),
    ...line('confirmed', revoked('confirmed')),
    ...line('not_offered', revoked('not_offered')),
    ...line('key_stays', revoked('key_stays')),
    ...line(
      'company',
      named(({ company }) => company === 'failed'),
    ),
    ...line(
      'registration',
      named(({ registration }) => registration === 'failed'),
    ),
  ];
  const unfinished = kept.length + failed.length > 0;
  return {
    kind: unfinished ? 'warning' : 'done',
    title: unfinished ? t('everywhere.doneInPart') : t('everywhere.done'),
    ...(lines.length > 0 ? { lines } : { text: t('everywhere.none') }),
  };
}

type EverywhereResult = 'kept' | 'failed' | 'confirmed' | 'not_offered' | 'key_stays' | 'company' | 'registration';

/** What signing out did. */
export function signedOutNotice(name: string, report: SignOutReport): Notice {
  return reportNotice(signedOutTitle(name), report);
}

export function removedNotice(name: string, report: SignOutReport): Notice {
  return reportNotice(t('removed.title', { name }), report);
}

function reportNotice(title: string, report: SignOutReport): Notice {
  const { revoked, deleted, company } = report;
  return {
    kind: revoked === 'failed' || company === 'failed' || !deleted ? 'warning' : 'done',
    title,
    text: signOutText(report),
  };
}
