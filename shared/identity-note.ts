import { signInNoteMessages } from './messages/en/sign-in-notes.ts';
import { translator } from './messages/translator.ts';

/** Why no name is shown, or what else a person should know of who signed in. Stored in the vault's index. */
export const identityNotes = [
  'absent',
  'unreadable',
  'no_keys',
  'keys_unreachable',
  'unknown_key',
  'algorithm',
  'dates',
  'wrong',
  'userinfo',
  'userinfo_alone',
  'changed',
  /** The index has a note that this version does not know. */
  'unknown',
] as const;

export type IdentityNote = (typeof identityNotes)[number];

const { t } = translator(signInNoteMessages);

export const identityNoteText = (note: IdentityNote): string => t(`identity.${note}`);
