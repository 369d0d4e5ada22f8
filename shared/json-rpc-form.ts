// Must not import packages or Node modules, because the bridge loads it.
import { eachMember, rawText, skipValue, type Cursor } from './json-scan.ts';
import { quote } from './json-tokens.ts';

/** The form of a message's members, as far as routing does not need it. */
export interface Form {
  version: string;
  ids: number;
  badMethod: boolean;
  badParams: boolean;
  badResult: boolean;
  /** There is a member `error`, of any type. */
  hasErrorMember: boolean;
  /** The error's `code` is an integer, its `message` a string. */
  goodErrorCode: boolean;
  goodErrorMessage: boolean;
}

export const newForm = (): Form => ({
  version: '',
  ids: 0,
  badMethod: false,
  badParams: false,
  badResult: false,
  hasErrorMember: false,
  goodErrorCode: false,
  goodErrorMessage: false,
});

interface Members {
  readonly method?: string;
  readonly hasResult: boolean;
  readonly hasError: boolean;
}

/** The first rule that the message breaks, as a predicate; undefined if there is none. */
export function flawOf(members: Members, form: Form): string | undefined {
  if (form.version !== '"2.0"') return 'does not say "jsonrpc": "2.0"';
  if (form.ids > 1) return 'has two ids';
  if (members.method !== undefined) {
    if (form.badMethod) return 'has a method that is not a string';
    if (members.hasResult || form.hasErrorMember) return 'is both a request and a response';
    return form.badParams ? 'has params that are not an object' : undefined;
  }
  if (members.hasResult && form.hasErrorMember) return 'has both a result and an error';
  if (form.badResult) return 'has a result that is not an object';
  if (!form.hasErrorMember) return undefined;
  if (!members.hasError) return 'has an error that is not an object';
  if (!form.goodErrorCode) return 'has an error whose code is not an integer';
  return form.goodErrorMessage ? undefined : 'has an error without a message';
}

/** Reads the object `error`. The cursor must be on its opening brace. */
export function readError(cursor: Cursor, form: Form): void {
  form.goodErrorCode = form.goodErrorMessage = false;
  eachMember(cursor, (key) => {
    const start = cursor.at;
    skipValue(cursor);
    if (key === 'code')
      form.goodErrorCode = cursor.at - start < 20 && Number.isInteger(Number(rawText(cursor.bytes, start, cursor.at)));
    else if (key === 'message') form.goodErrorMessage = cursor.bytes[start] === quote;
  });
}
