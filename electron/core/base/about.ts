/** Which program this is, and how hosts reach it. */
export interface About {
  readonly version: string;
  readonly front: 'desktop' | 'headless';
  readonly runtime: 'release' | 'development';
  /** Command and arguments that start the bridge, without the server's name: what a host's configuration must say. */
  readonly bridgeCommand: readonly [string, ...string[]];
  /** Environment that the bridge needs to find this broker; empty for the default data folder. */
  readonly bridgeEnv: Readonly<Record<string, string>>;
}
