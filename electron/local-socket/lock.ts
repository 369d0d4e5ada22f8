/** Held until released, or until the process ends for whatever reason: then the kernel releases it. */
export interface Lock {
  /**
   * Whether this process still holds the lock. If its file was deleted, the lock is taken again; false if another
   * process was faster.
   */
  stillHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/** `broker`: held by the owner of the folder. `starter`: held by the bridge that starts an owner. */
export type Purpose = 'broker' | 'starter';
