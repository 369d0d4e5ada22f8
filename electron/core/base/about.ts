/** Which program this is, and how hosts start its bridge. */
export interface About {
  readonly version: string;
  readonly front: 'desktop' | 'headless';
  readonly runtime: 'release' | 'development';
  /** Command and arguments for a host's configuration, without the server's name. */
  readonly bridgeCommand: readonly [string, ...string[]];
  /** The environment that the bridge needs to find this broker. Empty for the default data folder. */
  readonly bridgeEnv: Readonly<Record<string, string>>;
}
