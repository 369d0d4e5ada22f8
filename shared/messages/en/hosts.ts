/** Where a host's snippet goes, if that is not a file, and the host that is none of the known ones. */
export const hostMessages = {
  'hosts.terminal': 'Run in a terminal',
  'hosts.otherPlace': 'The app’s MCP settings',
  'hosts.other': 'Another app',
} as const;
