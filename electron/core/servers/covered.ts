import type { Account, StoredServer } from './server.ts';

/**
 * What decides where the secrets and tokens of a server go, what is believed on the way, and what a person is told to
 * register. Each entry of the list carries a MAC over these members, so that a change by another program is noticed.
 * Whoever adds such a member names it here; one that is absent, false or empty counts as not there, so that a new one
 * changes no MAC of before.
 */
const ofServer = [
  'id',
  'url',
  'clientId',
  'initialAccessTokenIssuer',
  'allowMissingPkce',
  'confirmedHosts',
  'networks',
  'reservedRedirect',
  'settings',
  'defaultAccount',
] as const satisfies readonly (keyof StoredServer)[];
const ofAccount = ['id', 'clientId', 'registrations'] as const satisfies readonly (keyof Account)[];

/** The text that the MAC of an entry is made over. */
export function coveredText(server: StoredServer): string {
  const accounts = server.accounts.map((account) => picked(account, ofAccount));
  return JSON.stringify(canonical({ ...picked(server, ofServer), accounts }));
}

function picked<Value extends object>(value: Value, names: readonly (keyof Value)[]): object {
  return Object.fromEntries(names.map((name) => [name, value[name]]).filter(([, member]) => !saysNothing(member)));
}

const saysNothing = (member: unknown): boolean =>
  member === undefined ||
  member === false ||
  (Array.isArray(member) && member.length === 0) ||
  (typeof member === 'object' && member !== null && Object.keys(member).length === 0);

/** The same text for the same members, in whatever order they stand. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return ['list', ...value.map(canonical)];
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  // A list of pairs: members of an object with names like numbers would change their places.
  return [
    'members',
    ...members.sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, member]) => [name, canonical(member)]),
  ];
}
