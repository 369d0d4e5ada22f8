/** Why a bridge that is waiting for its server should try again. */
type WakeReason =
  /** The server accepted a request of another bridge of this account. */
  | 'served'
  /** The user asked for it. */
  | 'asked';

/** One of the bridges of an account. */
export interface AccountBridge {
  /** Marks this bridge as unable, or able again, to use its server. */
  setUnavailable(unavailable: boolean): void;
  /** The server accepted a request of this bridge: the unavailable ones try again. Cheap while there are none. */
  served(): void;
  onWake(listener: (reason: WakeReason) => void): void;
  leave(): void;
}

/** The bridges of each account. When the server works again for one of them, the others retry. */
export interface AccountBridges {
  join(accountKey: string): AccountBridge;
  /** Makes all bridges of the account retry now, at the user's request. */
  wake(accountKey: string): void;
}

interface Member {
  readonly accountKey: string;
  readonly listeners: ((reason: WakeReason) => void)[];
}

export function createAccountBridges(): AccountBridges {
  const all = new Set<Member>();
  const unavailable = new Set<Member>();
  const notify = (members: Iterable<Member>, accountKey: string, reason: WakeReason, except?: Member) => {
    for (const member of members)
      if (member !== except && member.accountKey === accountKey)
        for (const listener of member.listeners) listener(reason);
  };
  return {
    join(accountKey) {
      const member: Member = { accountKey, listeners: [] };
      all.add(member);
      return {
        setUnavailable: (isUnavailable) => void (isUnavailable ? unavailable.add(member) : unavailable.delete(member)),
        served() {
          if (unavailable.size > 0) notify(unavailable, accountKey, 'served', member);
        },
        onWake: (listener) => void member.listeners.push(listener),
        leave() {
          all.delete(member);
          unavailable.delete(member);
        },
      };
    },
    wake: (accountKey) => notify(all, accountKey, 'asked'),
  };
}
