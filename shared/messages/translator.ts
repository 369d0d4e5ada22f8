import { compile, type CompiledText } from './compile.ts';

/** Texts by id, in ICU MessageFormat. Each is a whole sentence or label. A line break counts as a space. */
type Texts = Readonly<Record<string, string>>;

/** The arguments that a text takes: `count` and `name` of `{count, plural, one {# server of {name}} other {…}}`. */
type ArgumentName<Text extends string> = Text extends `${string}{${infer Rest}`
  ? OnlyName<UpTo<UpTo<Rest, '}'>, ','>> | ArgumentName<Rest>
  : never;
type UpTo<Text extends string, End extends string> = Text extends `${infer Head}${End}${string}` ? Head : Text;
/** Plural branches are in braces too. Unlike a name, they contain spaces or begin with an argument. */
type OnlyName<Text extends string> = Text extends `${string} ${string}` | `{${string}` | '' | '#' ? never : Text;

type Values<Text extends string, Value> = [ArgumentName<Text>] extends [never]
  ? []
  : [values: { readonly [Name in ArgumentName<Text>]: Value }];

export interface Translator<All extends Texts> {
  /** Returns the text with this id. Missing and unknown values are type errors. */
  readonly t: <Id extends keyof All & string>(id: Id, ...values: Values<All[Id], string | number>) => string;
  /** Like `t`, but with values of any kind, e.g. React elements, between pieces of text. Values are never parsed. */
  readonly pieces: <Value, Id extends keyof All & string>(
    id: Id,
    ...values: Values<All[Id], Value>
  ) => readonly (string | Value)[];
}

/**
 * Translates the ids of one part of the catalogue. A second language would be a folder beside `en/` with the same ids,
 * and chosen here.
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
