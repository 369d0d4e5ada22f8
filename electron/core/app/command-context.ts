import type { ServerStatus, Status, StoreStatus } from '../../../shared/model.ts';
import { AppError } from '../base/errors.ts';
import type { AddressPolicy } from '../http/http.ts';
import type { Companies } from '../oauth/enterprise/companies.ts';
import type { TokenViews } from '../oauth/inspection/token-view.ts';
import type { SignIns } from '../oauth/sign-in/sign-in.ts';
import type { AccessTokens } from '../oauth/tokens/access-tokens.ts';
import type { Server } from '../servers/server.ts';
import type { Servers } from '../servers/servers.ts';
import type { RuntimeNotes } from '../status/runtime-notes.ts';
import type { StepUps } from '../step-up/step-up.ts';
import type { Vault } from '../vault/credentials.ts';
import type { AccountClients } from './account-clients.ts';
import { requireServer, type Connections } from './connections.ts';
import type { Ports } from './ports.ts';
import type { SignInFlow } from './sign-in-flow.ts';
import { createSignOut, type SignOut } from './sign-out.ts';
import { createUserSecrets, type StoreSecrets } from './user-secrets.ts';

export interface CommandsDeps {
  readonly ports: Ports;
  readonly clients: AccountClients;
  readonly networkOf: (server: Server) => Promise<AddressPolicy>;
  readonly servers: Servers;
  readonly vault: Vault;
  readonly tokens: AccessTokens;
  readonly companies: Companies;
  readonly signIns: SignIns;
  readonly signIn: SignInFlow;
  readonly notes: RuntimeNotes;
  readonly connections: Connections;
  readonly stepUps: StepUps;
  readonly statusOf: (accountKey: string) => ServerStatus | undefined;
  readonly current: () => Status;
  readonly changed: () => void;
  readonly reviewAudiences: (server: Server) => void;
  readonly unlockStore: () => Promise<StoreStatus>;
  readonly views: TokenViews;
}

/** What the groups of commands share. */
export interface CommandContext extends CommandsDeps {
  /** Returns the server and account that a command's input names. Throws as `requireServer`. */
  readonly named: (input: { readonly server: string; readonly account?: string | undefined }) => Server;
  /** Returns the status to reply with. Throws E_SERVER_UNKNOWN if the server was removed in the meantime. */
  readonly statusAfter: (server: Server) => ServerStatus;
  readonly storeSecrets: StoreSecrets;
  readonly leaving: SignOut;
}

export function createCommandContext(deps: CommandsDeps): CommandContext {
  return {
    ...deps,
    named: ({ server, account }) => requireServer(deps.servers, server, account),
    statusAfter({ id, name }) {
      const status = deps.statusOf(id);
      if (!status) throw new AppError('E_SERVER_UNKNOWN', `The server "${name}" was removed.`);
      return status;
    },
    storeSecrets: createUserSecrets(deps),
    leaving: createSignOut(deps),
  };
}
