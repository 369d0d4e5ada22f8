import type { ErrorInfo } from '../../shared/reply.ts';
import type { ServerStatus, Status, StoreStatus } from '../../shared/model.ts';
import { byAttention } from '../../shared/server-state.ts';
import { stateText } from '../../shared/state-text.ts';
import { sanitizeExternalText } from '../core/base/errors.ts';
import { entryName, t } from './text.ts';

/** The status as a table with one row per account, then what needs attention. Names from outside are sanitized. */
export function statusText(status: Status, now: number): string {
  const servers = status.servers.toSorted(byAttention);
  const aside = status.setAside ?? [];
  const problems = [...servers.flatMap(problemsOf), ...aside.map(({ error }) => errorText(error))];
  const notice = status.notice ? [errorText(status.notice)] : [];
  const { version, front } = status;
  return [
    ...(servers.length > 0 ? table(servers, now) : [t(aside.length > 0 ? 'cli.status.noneInUse' : 'cli.status.none')]),
    ...afterBlankLine(problems),
    ...afterBlankLine(notice),
    '',
    t('cli.status.about', { version, front, store: storeText(status.store) }),
  ].join('\n');
}

const afterBlankLine = (lines: string[]): string[] => (lines.length > 0 ? ['', ...lines] : []);

const errorText = ({ message, remedy, code }: Pick<ErrorInfo, 'message' | 'remedy' | 'code'>): string =>
  t('cli.status.error', { message, remedy, code });

function table(servers: readonly ServerStatus[], now: number): string[] {
  const header = [
    t('cli.status.name'),
    t('cli.status.state'),
    t('cli.status.signedInAs'),
    t('cli.status.apps'),
    t('cli.status.address'),
  ];
  const rows = servers.map((server) => [
    nameCell(server),
    stateText(server, now),
    sanitizeExternalText(server.identity ?? '-', 40),
    server.hosts.length > 0 ? sanitizeExternalText([...new Set(server.hosts)].join(', '), 40) : '-',
    sanitizeExternalText(server.url, 120),
  ]);
  return aligned([header, ...rows]);
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = (rows[0] ?? []).map((_, column) => width(column));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** An asterisk marks the default account. */
const nameCell = ({ name, account }: ServerStatus): string =>
  entryName(name, account && `${account.name}${account.isDefault ? '*' : ''}`);

function problemsOf({ name, account, state }: ServerStatus): string[] {
  const entry = entryName(name, account?.name);
  if (state.kind === 'signing_in' && state.browserFailed && state.url)
    return [t('cli.status.open', { entry, url: sanitizeExternalText(state.url, 4_000) })];
  if (!('error' in state)) return [];
  const requests = state.kind === 'needs_access' ? (state.askedBy ?? []) : [];
  const { message, remedy, code } = state.error;
  return [
    ...requests.map(({ host, operation }) =>
      t('cli.status.wants', {
        entry,
        app: sanitizeExternalText(host, 40),
        operation: sanitizeExternalText(operation, 60),
      }),
    ),
    t('cli.status.entryError', { entry, message, remedy, code }),
  ];
}

export const storeText = ({ label, state }: StoreStatus): string =>
  t(`cli.store.${state}`, { label: sanitizeExternalText(label) });
