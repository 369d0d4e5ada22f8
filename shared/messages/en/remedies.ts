/** What to do about an error, by its code. Those of the bridge stand in bridge-remedies.ts. */
export const coreRemedies = {
  // Input and general
  E_BAD_INPUT: 'Check the value and try again.',
  E_UNKNOWN_COMMAND: 'Update Keybridge: this command is newer than the app that is running.',
  E_UNEXPECTED: 'Try again. If it happens again, report it with the code and the time.',
  E_CANCELLED: 'Nothing to do: you cancelled it.',
  // The user's list of servers
  E_SERVER_UNKNOWN: 'Run `keybridge status` to see the names of your servers.',
  E_SERVER_EXISTS: 'Choose another name, or use the server that is already in the list.',
  E_ACCOUNT_UNKNOWN: 'Run `keybridge status` to see the accounts, or add one: `keybridge login SERVER --account NAME`.',
  E_ACCOUNT_EXISTS: 'Choose another name, or use the account that is already there.',
  E_ACCOUNT_OTHER: 'Sign out of the other account in your browser (or use a private window), then sign in again.',
  E_SERVER_URL: 'Give the address of the MCP server as https://host/path.',
  E_CONFIG_DAMAGED: 'Keybridge went on with the last good copy. Check the file that the message names.',
  E_CONFIG_ENTRY: 'Correct the server’s entry in servers.json, then start Keybridge again.',
  E_CONFIG_CHANGED:
    'If the change is yours, accept it with “Use these settings” or `keybridge accept SERVER`. If not, run `keybridge remove SERVER`.',
  E_CONFIG_NEWER: 'Update Keybridge, or use another data folder.',
  E_CONFIG_WRITE: 'Check that the disk has room and that the data folder belongs to you.',
  E_CONFIG_UNSAFE: 'Run the command that the message names, look into the file, and start again.',
  // Network
  E_DNS:
    'Check the address and your network connection. If you need a proxy, name it in HTTPS_PROXY (ALL_PROXY is not read).',
  E_CONNECT:
    'Check that the server is running and that no firewall is in the way. If you need a proxy, name it in HTTPS_PROXY (ALL_PROXY is not read).',
  E_TLS: 'The connection cannot be trusted. Ask the server’s operator, and do not sign in on this network.',
  E_TIMEOUT: 'Try again. If it keeps happening, ask the operator of the server.',
  E_REDIRECTED: 'The server answered with a redirect that Keybridge does not follow. Check the address.',
  E_ADDRESS_REFUSED: 'The server pointed to an address inside your network. Remove the server if you do not trust it.',
  E_INSECURE_URL: 'Use an https address. Plain http is only accepted on this computer (127.0.0.1, localhost).',
  E_HTTP_STATUS: 'Try again later. If it keeps happening, ask the operator of the server.',
  E_NOT_JSON:
    'Check the address. If your network shows a sign-in page of its own, open any website in your browser first, then try again.',
  // Discovery
  E_RESOURCE_MISMATCH: 'The server describes itself under another address. Check the address, or ask its operator.',
  E_ISSUER_MISMATCH:
    'The authorization server’s identity does not match. Do not sign in; ask the operator of the server.',
  E_METADATA_INVALID: 'The server’s sign-in description is broken. Ask its operator.',
  E_NO_SIGN_IN: 'Nothing to do: apps can use the server as it is.',
  E_METADATA_MISSING: 'The server does not say how to sign in. Check the address, or ask its operator.',
  E_ENDPOINT_REFUSED:
    'The server named an address that is not safe to open or to send a sign-in to. Remove the server.',
  E_HOSTS_UNCONFIRMED:
    'If you trust these hosts, sign in from the window or with `keybridge login` in a terminal, and confirm them there.',
  E_PKCE_UNSUPPORTED:
    'The authorization server does not announce PKCE (S256). You can allow this one server in its settings.',
  // Client registration
  E_CLIENT_ID_NEEDED: 'Ask the operator for a client ID, and enter it in the server’s settings.',
  E_REGISTRATION_REFUSED: 'The authorization server did not accept Keybridge. Ask the operator for a client ID.',
  E_REGISTRATION_INVALID: 'The authorization server’s registration answer is broken. Ask its operator.',
  // Sign-in
  E_SIGN_IN_DENIED: 'Sign in again if this was not intended.',
  E_SIGN_IN_TIMEOUT: 'Sign in again, and finish in the browser within ten minutes.',
  E_AUTHORIZATION_ERROR: 'The authorization server refused the sign-in. Try again, or ask its operator.',
  E_ISS_MISMATCH: 'The answer came from another authorization server. Do not sign in here; ask the operator.',
  E_PORT_IN_USE: 'Other programs use the ports for the sign-in answer. Close one of them and try again.',
  E_BROWSER: 'Copy the address from the window and open it in a browser yourself.',
  E_ID_TOKEN: 'The sign-in may be somebody else’s. Sign in again; if it happens again, ask the operator of the server.',
  E_REDIRECT_URL: 'Paste the whole address of the last page of the sign-in, unchanged.',
  // Tokens
  E_TOKEN_RESPONSE: 'The authorization server’s answer is broken. Try again, or ask its operator.',
  E_TOKEN_REFUSED: 'The authorization server refused the request. Ask its operator, with the words of the message.',
  E_CLIENT_REFUSED: 'Sign in again: the authorization server no longer knows Keybridge.',
  E_TOKEN_AUDIENCE: 'Accept this audience only if the operator of the server confirms that its tokens name it.',
  E_SIGN_IN_NEEDED: 'Open Keybridge and sign in to this server.',
  E_SIGN_IN_AGAIN: 'Open Keybridge and sign in to this server again: its sign-in has ended.',
  E_SECRET_AGAIN: 'If you trust the new place, enter the secret again in the server’s settings.',
  E_SCOPE_NEEDED: 'Open Keybridge and sign in to this server again with more access.',
  E_REFRESH_FAILED: 'Nothing to do for now: Keybridge keeps the sign-in and tries again by itself.',
  // Where secrets are kept
  E_STORE_LOCKED: 'Unlock your keychain. Keybridge goes on by itself.',
  E_STORE_DENIED: 'Allow Keybridge to use your keychain.',
  E_STORE_UNAVAILABLE: 'Start your keychain service (on Linux: gnome-keyring or KWallet), or choose another store.',
  E_STORE_WRITE: 'Keep Keybridge running and make the keychain writable: the new token is held in memory until then.',
  E_STORE_DAMAGED: 'Sign in to this server again. The damaged entry is kept for a look.',
  // Broker and bridge
  E_BROKER_RUNNING: 'Another Keybridge already uses this data folder. Quit it first.',
  E_DATA_FOLDER_LOST: 'Start Keybridge again. Do not delete or replace files in its data folder while it runs.',
  E_PATH_TOO_LONG:
    'Choose a data folder with a shorter path: set KEYBRIDGE_DATA_DIR, or --data-dir on the command line.',
  // Relay
  E_SERVER_UNREACHABLE: 'Check the connection to the server and call again.',
  E_SERVER_REFUSED: 'The server refused a valid sign-in. Its own setup may be unfinished: ask its operator.',
  E_SERVER_ANSWER: 'The server’s answer is broken. Try again, or ask its operator.',
  E_RATE_LIMITED: 'Wait as long as the message says, then call again.',
  E_BAD_MESSAGE: 'The app sent a message that is not valid JSON-RPC. Update the app.',
  E_PROTOCOL_ERA: 'The app and the server speak different generations of MCP. Update the older one.',
} as const;
