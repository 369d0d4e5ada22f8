/** What to do about an error, by its code. Those of the bridge stand in bridge-remedies.ts. */
export const coreRemedies = {
  // Input and general
  E_BAD_INPUT: 'Check the value and try again.',
  E_UNKNOWN_COMMAND: 'Update Keybridge. The running app is older than this command.',
  E_UNEXPECTED: 'Try again. If it happens again, report it with the code and the time.',
  E_CANCELLED: 'You cancelled this. There is nothing to do.',
  // The user's list of servers
  E_SERVER_UNKNOWN: 'Run `keybridge status` to see the names of your servers.',
  E_SERVER_EXISTS: 'Choose another name, or use the existing server.',
  E_ACCOUNT_UNKNOWN: 'Run `keybridge status` to see the accounts, or add one: `keybridge login SERVER --account NAME`.',
  E_ACCOUNT_EXISTS: 'Choose another name, or use the existing account.',
  E_ACCOUNT_OTHER: 'Sign out of the other account in your browser (or use a private window), then sign in again.',
  E_SERVER_URL: 'Enter the address of the MCP server as https://host/path.',
  E_CONFIG_DAMAGED: 'Keybridge uses the last good copy. Check the file that the message names.',
  E_CONFIG_ENTRY: 'Correct the server’s entry in servers.json, then restart Keybridge.',
  E_CONFIG_CHANGED:
    'If you made the change, accept it with “Use these settings” or `keybridge accept SERVER`. Otherwise, run ' +
    '`keybridge remove SERVER`.',
  E_CONFIG_NEWER: 'Update Keybridge, or use another data folder.',
  E_CONFIG_WRITE: 'Check that the disk has free space and that you own the data folder.',
  E_CONFIG_UNSAFE: 'Run the command that the message names, check the file, and start Keybridge again.',
  // Network
  E_DNS: 'Check the address and your network connection. If you need a proxy, set HTTPS_PROXY (ALL_PROXY is ignored).',
  E_CONNECT:
    'Check that the server is running and that no firewall blocks it. If you need a proxy, set HTTPS_PROXY ' +
    '(ALL_PROXY is ignored).',
  E_TLS: 'Do not sign in on this network. Contact the operator of the server.',
  E_TIMEOUT: 'Try again. If it keeps happening, contact the operator of the server.',
  E_REDIRECTED: 'Check the address. The server redirects to an address that Keybridge does not follow.',
  E_ADDRESS_REFUSED: 'Remove the server if you do not trust it. It named an address inside your network.',
  E_INSECURE_URL: 'Use an https address. Plain http is allowed only on this computer (127.0.0.1, localhost).',
  E_HTTP_STATUS: 'Try again later. If it keeps happening, contact the operator of the server.',
  E_NOT_JSON:
    'Check the address. If your network has its own sign-in page, open any website in your browser, then try again.',
  // Discovery
  E_RESOURCE_MISMATCH: 'Check the address, or contact the operator. The server’s metadata names another address.',
  E_ISSUER_MISMATCH:
    'Do not sign in. Ask the operator why the authorization server identifies itself as a different issuer.',
  E_METADATA_INVALID: 'Ask the operator of the server to correct its sign-in metadata.',
  E_NO_SIGN_IN: 'Apps can use the server as it is. There is nothing to do.',
  E_METADATA_MISSING: 'Check the address, or ask the operator of the server how to sign in.',
  E_ENDPOINT_REFUSED: 'Remove the server. It named an address that is not safe for a sign-in.',
  E_HOSTS_UNCONFIRMED:
    'If you trust these hosts, sign in from the window or with `keybridge login` and confirm them there.',
  E_PKCE_UNSUPPORTED: 'If you trust the operator, allow sign-in without PKCE in the server’s settings.',
  // Client registration
  E_CLIENT_ID_NEEDED: 'Ask the operator for a client ID and enter it in the server’s settings.',
  E_REGISTRATION_REFUSED: 'Ask the operator for a client ID and enter it in the server’s settings.',
  E_REGISTRATION_INVALID: 'Ask the operator of the server to correct its client registration.',
  // Sign-in
  E_SIGN_IN_DENIED: 'If this was a mistake, sign in again.',
  E_SIGN_IN_TIMEOUT: 'Sign in again and finish in the browser within ten minutes.',
  E_AUTHORIZATION_ERROR: 'Try again, or contact the operator of the server.',
  E_ISS_MISMATCH: 'Do not sign in. Ask the operator why the response came from another authorization server.',
  E_PORT_IN_USE: 'Close one of the programs that use the sign-in ports, then try again.',
  E_BROWSER: 'Copy the link from the window and open it in a browser.',
  E_ID_TOKEN: 'Sign in again. If it happens again, contact the operator: the sign-in may belong to someone else.',
  E_REDIRECT_URL: 'Paste the full, unchanged address of the last page of the sign-in.',
  // Tokens
  E_TOKEN_RESPONSE: 'Try again, or contact the operator. The authorization server’s response is invalid.',
  E_TOKEN_REFUSED: 'Contact the operator, and quote the message. The authorization server refused the request.',
  E_CLIENT_REFUSED: 'Sign in again. The authorization server no longer accepts Keybridge’s registration.',
  E_TOKEN_AUDIENCE: 'Accept this audience only if the operator confirms that the server’s tokens name it.',
  E_SIGN_IN_NEEDED: 'Open Keybridge and sign in to this server.',
  E_SIGN_IN_AGAIN: 'Open Keybridge and sign in to this server again. Its sign-in has ended.',
  E_SECRET_AGAIN: 'If you trust the new address, enter the secret again in the server’s settings.',
  E_SCOPE_NEEDED: 'Open Keybridge and allow the additional access to this server.',
  E_REFRESH_FAILED: 'You are still signed in. Keybridge tries again automatically.',
  // Where secrets are kept
  E_STORE_LOCKED: 'Unlock your keychain. Keybridge then continues automatically.',
  E_STORE_DENIED: 'Give Keybridge access to your keychain.',
  E_STORE_UNAVAILABLE: 'Start your keychain service (on Linux, GNOME Keyring or KWallet), or choose another store.',
  E_STORE_WRITE: 'Keep Keybridge running and make the keychain writable. Until then, the new token is only in memory.',
  E_STORE_DAMAGED: 'Sign in to this server again. Keybridge kept the damaged entry for inspection.',
  // Broker and bridge
  E_BROKER_RUNNING: 'Quit the other Keybridge first. It uses the same data folder.',
  E_DATA_FOLDER_LOST: 'Start Keybridge again. Do not delete or replace files in its data folder while it runs.',
  E_PATH_TOO_LONG: 'Choose a data folder with a shorter path (KEYBRIDGE_DATA_DIR, or --data-dir on the command line).',
  // Relay
  E_SERVER_UNREACHABLE: 'Check the connection to the server and call again.',
  E_SERVER_REFUSED: 'Contact the operator of the server. It refused a valid sign-in, so its setup may be unfinished.',
  E_SERVER_ANSWER: 'Try again, or contact the operator. The server’s response is invalid.',
  E_RATE_LIMITED: 'Wait as long as the message says, then call again.',
  E_BAD_MESSAGE: 'Update the app. It sent a message that is not valid JSON-RPC.',
  E_PROTOCOL_ERA: 'Update the app or the server, whichever is older. They use incompatible versions of MCP.',
} as const;
