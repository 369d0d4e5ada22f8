import type { SignOutReport } from '../../shared/model.ts';
import { signedOutTitle, signOutText } from '../../shared/sign-out-text.ts';
import { stateText } from '../../shared/state-text.ts';
import { callBroker } from '../broker/control-client.ts';
import { sanitizeExternalText } from '../core/base/errors.ts';
import { accountInput, type Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { readiness } from './next-step.ts';
import { storeText } from './status-table.ts';
import { entryName, t } from './text.ts';

export const refresh: Command = {
  operands: ['server'],
  options: ['account'],
  summary: 'renew the access token now',
  help: `Usage: keybridge refresh <server> [--account NAME]

Renews the access token now, even during the pause after a failed attempt.
`,
  async run([server = ''], { dataDir, options, output }) {
    const status = await callBroker(dataDir, 'refreshNow', accountInput(server, options));
    const entry = entryName(status.name, status.account?.name);
    output.value(status, t('cli.state', { entry, state: stateText(status, Date.now()) }));
    return readiness(status);
  },
};

export const dismiss: Command = {
  operands: ['server'],
  options: ['account'],
  summary: "refuse an app's call that waits for more access",
  help: `Usage: keybridge dismiss <server> [--account NAME]

Refuses an app's call that waits for more access. Keybridge does not ask for the same access again for ten minutes.
To allow it: keybridge login <server>.
`,
  async run([server = ''], { dataDir, options, output }) {
    const status = await callBroker(dataDir, 'dismissAccess', accountInput(server, options));
    output.value(status, t('cli.dismissed', { entry: entryName(status.name, status.account?.name) }));
    return exitCodes.ok;
  },
};

export const unlock: Command = {
  operands: [],
  options: [],
  summary: 'ask the system to unlock the keychain',
  help: `Usage: keybridge unlock

Asks the system to unlock the keychain; the system may show its own prompt. Calls that were waiting then continue.
`,
  async run(_operands, { dataDir, output }) {
    const store = await callBroker(dataDir, 'unlockStore', undefined);
    output.value(store, storeText(store));
    return store.state === 'ready' ? exitCodes.ok : exitCodes.store;
  },
};

export const logout: Command = {
  operands: ['[server]'],
  options: ['account', 'all'],
  summary: 'sign out: revoke at the server, delete here',
  help: `Usage: keybridge logout <server> [--account NAME] | --all

Revokes the sign-in at the authorization server, deletes it here, and reports whether both succeeded. Also deletes
the client that Keybridge registered there by itself, if the authorization server offers that.

  --all                  sign out of every account of every server
`,
  async run([server = ''], { dataDir, options, output }) {
    if (options.all) {
      const reports = await callBroker(dataDir, 'signOutEverywhere', undefined);
      const lines = reports.map((one) => signedOutLine(entryName(one.server, one.account), one.report));
      output.value(reports, lines.length > 0 ? lines.join('\n') : t('cli.status.none'));
      return reports.every(({ report }) => isSignedOut(report)) ? exitCodes.ok : exitCodes.store;
    }
    const report = await callBroker(dataDir, 'signOut', accountInput(server, options));
    output.value(report, signedOutLine(entryName(server, options.account), report));
    return isSignedOut(report) ? exitCodes.ok : exitCodes.store;
  },
};

const isSignedOut = ({ deleted, revoked }: SignOutReport): boolean => deleted || revoked === 'nothing_to_revoke';

/** What signing out of an entry did. */
export function signedOutLine(entry: string, report: SignOutReport): string {
  const { detail } = report;
  const text = signOutText(detail === undefined ? report : { ...report, detail: sanitizeExternalText(detail, 200) });
  return report.revoked === 'nothing_to_revoke' ? `${entry}: ${text}` : `${signedOutTitle(entry)}. ${text}`;
}
