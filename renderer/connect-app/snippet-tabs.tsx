import { useId, useRef, useState, type KeyboardEvent } from 'react';
import type { HostSnippet } from '../../shared/model.ts';
import { SnippetPanel } from './snippet-panel.tsx';
import { t } from '../text.ts';

/** One tab per app. Arrow keys move along, as in every tab list (WAI-ARIA, Tabs pattern). */
export function SnippetTabs({ snippets }: { readonly snippets: readonly HostSnippet[] }) {
  const [chosen, setChosen] = useState(0);
  const tabs = useRef<(HTMLButtonElement | null)[]>([]);
  const id = useId();
  const snippet = snippets[chosen];

  const move = (event: KeyboardEvent) => {
    const to = tabAfterKey(event.key, chosen, snippets.length);
    if (to === undefined) return;
    event.preventDefault();
    setChosen(to);
    tabs.current[to]?.focus();
  };

  return (
    <div className="hosts card">
      <div
        className="host-tabs"
        role="tablist"
        aria-label={t('connect.choose')}
        aria-orientation="vertical"
        onKeyDown={move}
        tabIndex={-1}
      >
        {snippets.map(({ host, title }, index) => (
          <button
            key={host}
            ref={(element) => {
              tabs.current[index] = element;
            }}
            type="button"
            role="tab"
            id={`${id}-tab-${index}`}
            aria-selected={index === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={index === chosen ? 0 : -1}
            className="host-tab"
            onClick={() => setChosen(index)}
          >
            {title}
          </button>
        ))}
      </div>
      {snippet && (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a tab panel takes the focus (WAI-ARIA)
        <div
          className="host-panel"
          role="tabpanel"
          id={`${id}-panel`}
          aria-labelledby={`${id}-tab-${chosen}`}
          tabIndex={0}
        >
          <SnippetPanel key={snippet.host} snippet={snippet} />
        </div>
      )}
    </div>
  );
}

/** Handles both arrow directions, because the list is horizontal in a narrow window. */
export function tabAfterKey(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
    case 'ArrowRight':
      return (at + 1) % count;
    case 'ArrowUp':
    case 'ArrowLeft':
      return (at + count - 1) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
