import type { CommandWord } from './arguments.ts';

/** The overview, on stdout with --help. */
export const overview = `Keybridge signs in to MCP servers once, for every AI app on this computer.

Usage: keybridge <command> [options]

Commands
  serve              run Keybridge without a window
  add <url>          add an MCP server
  check <server>     ask it whether it wants a sign-in
  login <server>     sign in to it
  status [<server>]  show where each sign-in stands
  accept <server>    accept what another program changed in servers.json
  refresh <server>   renew its access token now
  dismiss <server>   say no to an app's call that waits for more access
  unlock             ask the system to unlock the keychain
  snippet <server>   print what to put into an app's configuration
  configure <server> change how Keybridge signs in to it
  key <server>       make the key that stands in for a client secret
  logout <server>    sign out: revoke at the server, delete here
  remove <server>    sign out and forget the server
  connect <server>   what an app runs: MCP on stdin and stdout

Of a server with several accounts each takes --account NAME; without it, the default account is meant.

Options
  --data-dir DIR     the folder to work with (or KEYBRIDGE_DATA_DIR)
  --json             print JSON: the value, or {"error": ...}
  -h, --help         of Keybridge, or of a command
  --version

Exit codes
  0 done               4 a sign-in is needed     8 another Keybridge already runs
  1 failed             5 secrets not accessible  130 cancelled
  2 wrong arguments    6 no such server
  3 no Keybridge runs  7 could not be reached

All but serve and connect talk to the Keybridge that is running: the app, or keybridge serve.
`;

/** Of one command. */
export const commandHelp: Readonly<Record<CommandWord, string>> = {
  serve: `Usage: keybridge serve [options]

Runs Keybridge without a window, in the foreground. Prints one line when it is ready.
Ends with SIGTERM, Ctrl-C, or when its stdin closes if that is a pipe.

  --store NAME           where secrets are kept: keychain (default) or memory (gone at the end).
                         Or KEYBRIDGE_STORE. Never another one than named.
  --sign-in auto         a call that needs a sign-in opens the browser by itself (default: manual)
  --until-stdin-closes   end with stdin even if it is not a pipe
  --log-level LEVEL      what keybridge.log in the data folder takes: error, warn, info (default) or debug
  --verbose              print the log on stderr too, and log at level debug unless --log-level is given
`,
  add: `Usage: keybridge add <url> [options]

  --name NAME            default: made from the address
  --client-id ID         for servers that do not let apps register themselves
  --client-secret-file F a file with the client secret; - is stdin. Or KEYBRIDGE_CLIENT_SECRET
  --set NAME=VALUE       a setting, e.g. scopes=minimal; see docs/settings.md. --set NAME= takes it back
  --secret-file NAME=F   a file with a secret that a setting needs, e.g. privateKey=key.pem
  --allow-missing-pkce   sign in even if the server does not announce PKCE
  --login                sign in at once
  --no-browser           with --login: print the address instead of opening it
`,
  configure: `Usage: keybridge configure <server> [options]

  --account NAME         give this account a client ID and secret of its own
  --account-name NAME    name the account
  --default-account      make it the one for apps that name none
  --client-id ID         "" removes it
  --client-secret-file F a file with the client secret; - is stdin. Or KEYBRIDGE_CLIENT_SECRET
  --set NAME=VALUE       a setting, e.g. scopes=minimal; see docs/settings.md. --set NAME= takes it back
  --secret-file NAME=F   a file with a secret that a setting needs, e.g. privateKey=key.pem
  --allow-missing-pkce   sign in even if the server does not announce PKCE
  --refuse-missing-pkce  the default
`,
  key: `Usage: keybridge key <server> [options]

Makes a private key in the keychain, which it never leaves, and prints the public one as JWK, for whoever runs the
authorization server to register. From then on Keybridge proves with it who it is (private_key_jwt, RFC 7523).

  --account NAME         for the account's own client
  --algorithm NAME       ES256 (default), EdDSA, RS256 or PS256
  --pem                  print PEM instead of JWK
  --replace              although there is a key already, which ends with that
`,
  check: `Usage: keybridge check <server> [--account NAME]

Asks the server, without a token, whether it wants a sign-in. The exit code is that of status <server>.
`,
  login: `Usage: keybridge login <server> [--account NAME] [--no-browser]

Opens the sign-in page in the browser and waits until it is done. Where no browser can be opened, prints the
address; if the browser is on another computer, paste the address of its last page here. Ctrl-C cancels.

  --account NAME         sign in to this account of the server; a new name adds an account
`,
  status: `Usage: keybridge status [<server>] [--account NAME] [--watch]

  --watch                print again after each change, until Ctrl-C; with --json one line each

With a server's name the exit code says whether it (its default account) can be used: 0 yes, 4 sign in first,
5 secrets not accessible, 7 it has not answered yet.
`,
  accept: `Usage: keybridge accept <server>

Accepts a server that was set aside because a program other than Keybridge added it to servers.json or changed its
entry. Secrets that you entered still go only where they were entered for: if the address or the issuer is new,
enter them again.
`,
  refresh: `Usage: keybridge refresh <server> [--account NAME]

Renews the access token now, whatever the pause after earlier failures.
`,
  dismiss: `Usage: keybridge dismiss <server> [--account NAME]

Says no to an app's call that waits for more access: it gets its error, and the same is not asked again for ten minutes.
To say yes: keybridge login <server>.
`,
  unlock: `Usage: keybridge unlock

Asks the system to unlock the place where secrets are kept; the system may show its own prompt. What waited
goes on by itself.
`,
  snippet: `Usage: keybridge snippet <server> [<app>] [--account NAME]

Prints what to put into the configuration of an app (claude-desktop, cursor, vscode, ...), or of all known ones.
`,
  logout: `Usage: keybridge logout <server> [--account NAME] | --all

Revokes the sign-in at the authorization server, deletes it here, and says whether both worked. What Keybridge
registered by itself there is deleted too, where that is offered.

  --all                  sign out of every account of every server
`,
  remove: `Usage: keybridge remove <server> [--account NAME]

Signs out of all its accounts, then forgets the server; or of one account, then forgets that.
`,
  connect: `Usage: keybridge connect <server> [--account NAME]

Speaks MCP on stdin and stdout, for an app that starts it. Starts the Keybridge app where there is a display.
`,
};
