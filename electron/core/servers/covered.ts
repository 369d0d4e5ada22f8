import type { Account, StoredServer } from './server.ts';

/**
 * The members of a server that the MAC of its entry covers: everything that decides where its secrets and tokens are
 * sent, which responses are trusted on the way, and what a user is told to register. If another program changes one
 * of them, the MAC no longer matches, and the entry is set aside until a user accepts it.
 *
 * Names and titles are not covered. A program that can write servers.json can change `name`, `title` and the
 * names of accounts without being noticed. It can even swap the names of two servers, so that `connect NAME` reaches
 * the other one; but each server still receives its own tokens only, because those are keyed by the id. Also not
 * covered is what is only a hint: times, what Keybridge learned about the server, and which secrets are stored.
 *
 * Add every new member that directs a secret to this list. Members that are absent, false or empty are left out, so
 * that existing MACs stay valid when a member is added.
 */
const serverMembers = [
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
const accountMembers = ['id', 'clientId', 'registrations'] as const satisfies readonly (keyof Account)[];

/** Returns the text that the MAC of an entry is computed over. */
export function coveredText(server: StoredServer): string {
  const accounts = server.accounts.map((account) => pick(account, accountMembers));
  return JSON.stringify(canonical({ ...pick(server, serverMembers), accounts }));
}

function pick<Value extends object>(value: Value, names: readonly (keyof Value)[]): object {
  return Object.fromEntries(names.map((name) => [name, value[name]]).filter(([, member]) => !isEmpty(member)));
}

const isEmpty = (member: unknown): boolean =>
  member === undefined ||
  member === false ||
  (Array.isArray(member) && member.length === 0) ||
  (typeof member === 'object' && member !== null && Object.keys(member).length === 0);

/** Makes the text independent of the order of members. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return ['list', ...value.map(canonical)];
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  // A list of pairs, because objects move members with numeric names to the front.
  return [
    'members',
    ...members.sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, member]) => [name, canonical(member)]),
  ];
}
