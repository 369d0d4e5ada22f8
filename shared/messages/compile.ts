import MessageFormat from '@messageformat/core';

/** Returns the pieces of a text: its words, and the values between them. */
export type CompiledText = (values: Readonly<Record<string, unknown>>) => unknown[];

const format = new MessageFormat('en', { returnType: 'values', requireAllArguments: true });

/**
 * Compiles a text in ICU MessageFormat. Only for programs that run from source, such as tests: a build replaces this
 * file, because its texts are compiled already (scripts/compiled-messages.mjs).
 */
export const compile = (text: string): CompiledText => format.compile(text);
