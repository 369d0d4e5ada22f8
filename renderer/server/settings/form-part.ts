import type { ServerDetail } from '../../../shared/model.ts';
import type { ErrorInfo } from '../../../shared/reply.ts';
import type { SettingsForm } from './settings-change.ts';
import type { ServerSettings } from '../../../shared/server-settings.ts';

/** What each part of the form reads and changes. */
export interface FormPart {
  readonly form: SettingsForm;
  readonly stored: ServerDetail['storedSecrets'];
  /** The entry that is being set; undefined: it is not in the list yet. */
  readonly entry: string | undefined;
  /** Something was changed and not saved yet. */
  readonly unsaved: boolean;
  /** Loads the server again after a change outside the form. */
  readonly reload: () => void;
  /** The server has several accounts, and this one has no client of its own yet. */
  readonly mayOwnClient: boolean;
  /** The client is this account's alone. */
  readonly ownsClient: boolean;
  readonly set: (change: Partial<SettingsForm>) => void;
  /** What is to be said at a field (as errors name it). */
  readonly problem: (field: string) => string | undefined;
  /** Why the last sign-in did not work. */
  readonly lastError: ErrorInfo | undefined;
}

/** A change of single settings; undefined takes one out. */
export type ChangeSettings = (changed: {
  readonly [Name in keyof ServerSettings]?: ServerSettings[Name] | undefined;
}) => void;

export const changeSettings =
  ({ form, set }: FormPart): ChangeSettings =>
  (changed) => {
    set({ settings: { ...form.settings, ...changed } });
  };
