import { createElement, Fragment, type ReactNode } from 'react';
import { stateMessages } from '../shared/messages/en/state.ts';
import { accountsMessages } from '../shared/messages/en/window/accounts.ts';
import { addServerMessages } from '../shared/messages/en/window/add-server.ts';
import { commonMessages } from '../shared/messages/en/window/common.ts';
import { connectMessages } from '../shared/messages/en/window/connect.ts';
import { leavingMessages } from '../shared/messages/en/window/leaving.ts';
import { serverMessages } from '../shared/messages/en/window/server.ts';
import { serversMessages } from '../shared/messages/en/window/servers.ts';
import { settingsMessages } from '../shared/messages/en/window/settings.ts';
import { translator } from '../shared/messages/translator.ts';

/** The texts of the window, by their ids in shared/messages/en/window. */
const { t, pieces } = translator({
  ...stateMessages,
  ...commonMessages,
  ...serversMessages,
  ...addServerMessages,
  ...serverMessages,
  ...leavingMessages,
  ...connectMessages,
  ...accountsMessages,
  ...settingsMessages,
});

export { t };

/** A text whose values are elements, for instance a name from outside in an element of its own. */
export const rich = <Id extends Parameters<typeof t>[0]>(
  ...text: Parameters<typeof pieces<ReactNode, Id>>
): ReactNode => createElement(Fragment, null, ...pieces<ReactNode, Id>(...text));

/** The choices of a select field: each value with its text, in this order. */
export const choices = <const Value extends string>(
  values: readonly Value[],
  text: (value: Value) => string,
): Readonly<Record<Value, string>> =>
  Object.fromEntries(values.map((value) => [value, text(value)])) as Record<Value, string>;

/** Each app once, though it may run twice. */
export const namesOf = (hosts: readonly string[]): string => [...new Set(hosts)].join(', ');
