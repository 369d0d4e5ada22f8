import { plainText } from '../../shared/foreign-text.ts';

/**
 * Words that came from outside: a text node of its own direction, so that it cannot turn the words around it.
 * `cut` keeps it on one line, with the whole text as its title.
 */
export function Foreign({
  text,
  cut = false,
  mono = false,
}: {
  readonly text: string;
  readonly cut?: boolean;
  readonly mono?: boolean;
}) {
  const look = `foreign${cut ? ' cut' : ''}${mono ? ' mono' : ''}`;
  const plain = plainText(text);
  return (
    <bdi className={look} title={cut ? plain : undefined}>
      {plain}
    </bdi>
  );
}
