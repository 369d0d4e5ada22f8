import path from 'node:path';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { stateTone } from '../../shared/server-state.ts';
import { kinds } from '../fixtures/renderer-markup.tsx';

describe('the colours of the window', () => {
  const css = readFileSync(path.join(import.meta.dirname, '../..', 'renderer', 'theme.css'), 'utf8');
  const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');
  const coloursOf = (text: string) =>
    new Map([...text.matchAll(/--([a-z-]+): (#[0-9a-f]{3,6});/g)].map((match) => [match[1] ?? '', match[2] ?? '']));
  const schemes: [string, Map<string, string>][] = [
    ['light', coloursOf(light)],
    ['dark', coloursOf(dark)],
  ];
  const tones = ['ok', 'busy', 'attention', 'blocked', 'off'];
  const pairs: [string, string][] = [
    ...['ground', 'surface', 'sunken', 'off-soft'].flatMap((ground): [string, string][] => [
      ['ink', ground],
      ['ink-soft', ground],
    ]),
    ...tones.flatMap((tone): [string, string][] => [
      [tone, 'surface'],
      [tone, 'sunken'],
      [tone, `${tone}-soft`],
      ['ink', `${tone}-soft`],
      ['ink-soft', `${tone}-soft`],
    ]),
    ['accent', 'surface'],
    ['accent', 'ground'],
    ['accent', 'accent-soft'],
    ['on-accent', 'accent'],
    ['on-accent', 'accent-strong'],
  ];

  it.each(schemes)('give text a contrast of at least 4.5 (WCAG 2.2, 1.4.3): %s', (_name, colours) => {
    const weak = pairs
      .map(([text, ground]) => ({ text, ground, contrast: contrast(colours.get(text), colours.get(ground)) }))
      .filter((pair) => !(pair.contrast >= 4.5));
    expect(weak).toEqual([]);
  });

  it.each(schemes)('give field edges and focus a contrast of at least 3 (WCAG 2.2, 1.4.11): %s', (_name, colours) => {
    expect(contrast(colours.get('line-strong'), colours.get('surface'))).toBeGreaterThanOrEqual(3);
    expect(contrast(colours.get('accent'), colours.get('ground'))).toBeGreaterThanOrEqual(3);
  });

  it('cover every tone of a state', () => {
    for (const state of kinds) expect(css).toContain(`.tone-${stateTone(state)} {`);
  });
});

/** WCAG 2.2, contrast ratio; NaN for a colour that is not there. */
function contrast(one: string | undefined, other: string | undefined): number {
  const [dark = NaN, light = NaN] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour = ''): number {
  const long = colour.length === 4 ? colour.replaceAll(/[0-9a-f]/g, '$&$&') : colour;
  const [red = NaN, green = NaN, blue = NaN] = [1, 3, 5].map((at) => {
    const part = parseInt(long.slice(at, at + 2), 16) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
