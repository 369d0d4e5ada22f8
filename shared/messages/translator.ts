import { compile, type CompiledText } from './compile.ts';

/** Texts by id, in ICU MessageFormat. Each is a whole sentence or label; a line end in it stands for a space. */
type Texts = Readonly<Record<string, string>>;

/** The arguments that a text takes: `count` and `name` of `{count, plural, one {# server of {name}} other {…}}`. */
type ArgumentName<Text extends string> = Text extends `${string}{${infer Rest}`
  ? OnlyName<UpTo<UpTo<Rest, '}'>, ','>> | ArgumentName<Rest>
  : never;
type UpTo<Text extends string, End extends string> = Text extends `${infer Head}${End}${string}` ? Head : Text;
/** The text of a plural's branch stands in braces too; unlike a name, it has spaces or begins with an argument. */
type OnlyName<Text extends string> = Text extends `${string} ${string}` | `{${string}` | '' | '#' ? never : Text;

type Values<Text extends string, Value> = [ArgumentName<Text>] extends [never]
  ? []
  : [values: { readonly [Name in ArgumentName<Text>]: Value }];

export interface Translator<All extends Texts> {
  /** The text with this id. A value that is missing, or that the text does not take, is an error of the type check. */
  readonly t: <Id extends keyof All & string>(id: Id, ...values: Values<All[Id], string | number>) => string;
  /**
   * The same with values of any kind, such as React elements, between the pieces of text. Values are never parsed, so
   * they may hold text from outside.
   */
  readonly pieces: <Value, Id extends keyof All & string>(
    id: Id,
    ...values: Values<All[Id], Value>
  ) => readonly (string | Value)[];
}

/**
 * Gives out the texts of a part of the catalogue. For a second language: a folder beside `en/` whose objects have the
 * same ids, and the choice of one of them here.
 */
export function translator<const All extends Texts>(texts: All): Translator<All> {
  const compiled = new Map<string, CompiledText>();
  const piecesOf = (id: keyof All & string, values: Readonly<Record<string, unknown>> = {}): unknown[] => {
    // In a build, a text that takes values is a function.
    const text = texts[id] as string | CompiledText;
    if (typeof text === 'function') return text(values);
    if (!text.includes('{')) return [oneLine(text)];
    const run = compiled.get(id) ?? compile(oneLine(text));
    compiled.set(id, run);
    return run(values);
  };
  return {
    t: (id, ...[values]) => piecesOf(id, values).flat(Infinity).join(''),
    pieces: (id, ...[values]) => piecesOf(id, values).flat(Infinity) as never,
  };
}

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ').trim();
