import { commandLineMessages } from '../../shared/messages/en/command-line.ts';
import { translator } from '../../shared/messages/translator.ts';

/** Returns a text of the command line by its id. */
export const { t } = translator(commandLineMessages);

/** What names one account of a server: the server's name, and the account's where there are several. */
export const entryName = (server: string, account: string | undefined): string =>
  account === undefined ? server : t('cli.entry', { server, account });
