import type { ServerStatus, SignOutReport, Status, StoreStatus } from '../../shared/model.ts';
import { byAttention } from '../../shared/server-state.ts';
import { stateText } from '../../shared/state-text.ts';
import { sanitizeExternalText } from '../core/base/errors.ts';

/**
 * The status for a person: a row per server, then what needs attention. Names from outside are made fit for a terminal.
 */
export function statusWords(status: Status, now: number): string {
  const servers = status.servers.toSorted(byAttention);
  const aside = status.setAside ?? [];
  const table =
    servers.length === 0 && aside.length > 0
      ? ['No server is in use.']
      : servers.length === 0
        ? ['No servers yet. Add one: keybridge add https://…']
        : rows(servers, now);
  const troubles = [
    ...servers.flatMap(troubleOf),
    ...aside.map(({ error }) => `${error.message} ${error.remedy} (${error.code})`),
  ];
  const notice = status.notice ? [`${status.notice.message} ${status.notice.remedy} (${status.notice.code})`] : [];
  const about = `Keybridge ${status.version} (${status.front}), ${storeWords(status.store)}`;
  return [...table, ...spaced(troubles), ...spaced(notice), '', about].join('\n');
}

const spaced = (lines: string[]): string[] => (lines.length > 0 ? ['', ...lines] : []);

function rows(servers: readonly ServerStatus[], now: number): string[] {
  const cells = servers.map((server) => [
    entryWords(server),
    stateText(server, now),
    sanitizeExternalText(server.identity ?? '-', 40),
    server.hosts.length > 0 ? sanitizeExternalText([...new Set(server.hosts)].join(', '), 40) : '-',
    sanitizeExternalText(server.url, 120),
  ]);
  return aligned([['NAME', 'STATE', 'SIGNED IN AS', 'APPS', 'ADDRESS'], ...cells]);
}

function aligned(lines: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...lines.map((line) => line[column]?.length ?? 0));
  const widths = (lines[0] ?? []).map((_, column) => width(column));
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A star marks the account for who names none. */
const entryWords = ({ name, account }: ServerStatus): string =>
  account ? `${name} (${account.name}${account.isDefault ? '*' : ''})` : name;

function troubleOf({ name: server, account, state }: ServerStatus): string[] {
  const name = account ? `${server} (${account.name})` : server;
  if (state.kind === 'signing_in' && state.browserFailed && state.url)
    return [`${name}: open ${sanitizeExternalText(state.url, 4_000)}`];
  if (!('error' in state)) return [];
  const asked =
    state.kind === 'needs_access'
      ? (state.askedBy ?? []).map(
          ({ host, operation }) =>
            `${name}: ${sanitizeExternalText(host, 40)} wants to use ${sanitizeExternalText(operation, 60)}.`,
        )
      : [];
  return [...asked, `${name}: ${state.error.message} ${state.error.remedy} (${state.error.code})`];
}

const storeStates: Readonly<Record<StoreStatus['state'], string>> = {
  ready: '',
  locked: ' (locked)',
  denied: ' (access denied)',
  unavailable: ' (not available)',
};

export const storeWords = ({ label, state }: StoreStatus): string =>
  `secrets in: ${sanitizeExternalText(label)}${storeStates[state]}`;

const registrationWords: Readonly<Record<NonNullable<SignOutReport['registration']>, string>> = {
  deleted: 'The registration of Keybridge there is deleted too.',
  not_offered: 'The registration of Keybridge stays there: it offers no way to delete it.',
  failed: 'The registration of Keybridge there could not be deleted.',
};

const companyWords: Readonly<Record<NonNullable<SignOutReport['company']>, string>> = {
  confirmed: 'The sign-in at the company’s identity provider, which no other server used, is revoked too.',
  not_offered:
    'The sign-in at the company’s identity provider, which no other server used, is deleted here; the provider offers no revocation.',
  failed:
    'The sign-in at the company’s identity provider, which no other server used, is deleted here; the provider did not confirm its end.',
};

/** What signing out did, in one sentence or two. */
export function signOutWords(name: string, { revoked, deleted, registration, company, detail }: SignOutReport): string {
  const there = registration === undefined ? '' : ` ${registrationWords[registration]}`;
  const here = `${deleted ? '' : ' Its entry in the store of secrets could not be deleted.'}${there}${company === undefined ? '' : ` ${companyWords[company]}`}`;
  const more = detail === undefined ? '' : ` ${sanitizeExternalText(detail, 200)}`;
  switch (revoked) {
    case 'confirmed':
      return `Signed out of ${name}. The authorization server has revoked the sign-in.${here}`;
    case 'not_offered':
      return `Signed out of ${name} here. The authorization server offers no revocation: its tokens end by themselves.${here}`;
    case 'failed':
      return `Signed out of ${name} here. The authorization server did not confirm it, and may accept the old tokens until they end.${here}${more}`;
    case 'key_stays':
      return `Signed out of ${name} here: its key is not sent any more. The server accepts the key until it is revoked there.${here}`;
    case 'nothing_to_revoke':
      return `${name} was not signed in.${here}`;
  }
}
