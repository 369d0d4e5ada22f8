// No packages, no Node: the bridge loads this file.
import { eachMember, rawText, skipValue, type Cursor } from './json-scan.ts';

/** What the members of a message look like, besides what routing needs. */
export interface Form {
  version: string;
  ids: number;
  badMethod: boolean;
  badParams: boolean;
  badResult: boolean;
  /** There is a member `error`, of whatever type. */
  error: boolean;
  code: boolean;
  message: boolean;
}

export const newForm = (): Form => ({
  version: '',
  ids: 0,
  badMethod: false,
  badParams: false,
  badResult: false,
  error: false,
  code: false,
  message: false,
});

/** What else is known of the message. */
interface Found {
  readonly method?: string;
  readonly hasResult: boolean;
  readonly hasError: boolean;
}

/** The first rule that a message breaks, as what it does; undefined: none. */
export function flawOf(found: Found, form: Form): string | undefined {
  if (form.version !== '"2.0"') return 'does not say "jsonrpc": "2.0"';
  if (form.ids > 1) return 'has two ids';
  if (found.method !== undefined) {
    if (form.badMethod) return 'has a method that is not text';
    if (found.hasResult || form.error) return 'is both a call and an answer';
    return form.badParams ? 'has params that are not an object' : undefined;
  }
  if (found.hasResult && form.error) return 'has both a result and an error';
  if (form.badResult) return 'has a result that is not an object';
  if (!form.error) return undefined;
  if (!found.hasError) return 'has an error that is not an object';
  if (!form.code) return 'has an error whose code is not a whole number';
  return form.message ? undefined : 'has an error without a message';
}

/** Reads `error`, an object; the cursor stands on its opening brace. */
export function readError(cursor: Cursor, form: Form): void {
  form.code = form.message = false;
  eachMember(cursor, (key) => {
    const start = cursor.at;
    skipValue(cursor);
    if (key === 'code')
      form.code = cursor.at - start < 20 && Number.isInteger(Number(rawText(cursor.bytes, start, cursor.at)));
    else if (key === 'message') form.message = cursor.bytes[start] === 0x22;
  });
}
