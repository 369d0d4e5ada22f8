import MessageFormat from '@messageformat/core';

/** Returns the pieces of a text, with the values between them. */
export type CompiledText = (values: Readonly<Record<string, unknown>>) => unknown[];

const format = new MessageFormat('en', { returnType: 'values', requireAllArguments: true });

/**
 * Compiles a text in ICU MessageFormat, in programs that run from source, such as tests. A build replaces this file,
 * because scripts/compiled-messages.mjs has compiled its texts.
 */
export const compile = (text: string): CompiledText => format.compile(text);
