import { commandLineMessages } from '../../shared/messages/en/command-line.ts';
import { translator } from '../../shared/messages/translator.ts';

/** Returns a text of the command line by its id. */
export const { t } = translator(commandLineMessages);

/** The name of a server, followed by that of the account if it has several. */
export const entryName = (server: string, account: string | undefined): string =>
  account === undefined ? server : t('cli.entry', { server, account });
