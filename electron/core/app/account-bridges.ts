/** Why a bridge whose server cannot be used should try again. */
type WakeReason =
  /** Another bridge of the same account has been served. */
  | 'served'
  /** A person asked for it. */
  | 'asked';

/** One bridge among those of its account. */
export interface AccountBridge {
  /** Whether this bridge has found its server unusable. */
  setAway(away: boolean): void;
  /** The server took a request of this bridge: those that are away try again. Cheap while none is. */
  served(): void;
  onWake(listener: (reason: WakeReason) => void): void;
  leave(): void;
}

/** The bridges of each account, which share what one of them finds out. */
export interface AccountBridges {
  join(accountKey: string): AccountBridge;
  /** A person wants the account to be tried now. */
  wake(accountKey: string): void;
}

interface Member {
  readonly accountKey: string;
  readonly listeners: ((reason: WakeReason) => void)[];
}

export function createAccountBridges(): AccountBridges {
  const all = new Set<Member>();
  const away = new Set<Member>();
  const tell = (whom: Iterable<Member>, accountKey: string, reason: WakeReason, but?: Member) => {
    for (const member of whom)
      if (member !== but && member.accountKey === accountKey) for (const listener of member.listeners) listener(reason);
  };
  return {
    join(accountKey) {
      const me: Member = { accountKey, listeners: [] };
      all.add(me);
      return {
        setAway: (isAway) => void (isAway ? away.add(me) : away.delete(me)),
        served() {
          if (away.size > 0) tell(away, accountKey, 'served', me);
        },
        onWake: (listener) => void me.listeners.push(listener),
        leave() {
          all.delete(me);
          away.delete(me);
        },
      };
    },
    wake: (accountKey) => tell(all, accountKey, 'asked'),
  };
}
