/** Held until released, or until the process ends in whatever way: the kernel lets go of it. */
export interface Lock {
  /**
   * Whether it is still this process's. What lies of it in the folder is made again when somebody deleted it; false
   * when another process was faster.
   */
  stillHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/** `broker`: for the one owner of the folder. `starter`: for the one bridge that starts an owner. */
export type Purpose = 'broker' | 'starter';
