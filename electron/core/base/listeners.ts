/** The listeners of one event. */
export interface Listeners<Args extends readonly unknown[]> {
  /** Returns an unsubscribe function. */
  add(listener: (...args: Args) => void): () => void;
  /** Calls each listener, in the order of subscription. */
  emit(...args: Args): void;
}

export function createListeners<Args extends readonly unknown[]>(): Listeners<Args> {
  const all = new Set<(...args: Args) => void>();
  return {
    add(listener) {
      all.add(listener);
      return () => void all.delete(listener);
    },
    emit(...args) {
      for (const listener of all) listener(...args);
    },
  };
}
