import type { ReactNode } from 'react';
import { Button } from '../parts/button.tsx';
import { PlusIcon } from '../parts/icons.tsx';
import { useShell } from '../shell.ts';
import { t } from '../text.ts';

/** The first thing that a new user sees: one picture, one sentence, one thing to do. */
export function EmptyList({ children }: { readonly children: ReactNode }) {
  const { go } = useShell();
  return (
    <div className="empty">
      <BridgeDrawing />
      <h1>{t('servers.emptyTitle')}</h1>
      <p>{t('servers.emptyText')}</p>
      <Button kind="primary" onClick={() => go({ at: 'add_server' })}>
        <PlusIcon size={18} />
        {t('servers.emptyAction')}
      </Button>
      {children}
    </div>
  );
}

/** Apps on the left bank, a server on the right, and a key for a bridge. */
function BridgeDrawing() {
  return (
    <svg
      className="drawing"
      viewBox="0 0 400 170"
      fill="none"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path
        className="drawing-bank"
        d="M0 170v-58a8 8 0 0 1 8-8h70a8 8 0 0 1 8 8v58ZM314 170v-58a8 8 0 0 1 8-8h70a8 8 0 0 1 8 8v58Z"
      />
      <g className="drawing-quiet">
        <rect x="10" y="60" width="48" height="36" rx="6" />
        <path d="M10 71h48" />
        <rect x="28" y="38" width="48" height="36" rx="6" />
        <path d="M28 49h48M34.5 43.5h.01M40 43.5h.01" />
        <rect x="332" y="36" width="50" height="27" rx="6" />
        <rect x="332" y="68" width="50" height="27" rx="6" />
        <path d="M341 49.5h.01M341 81.5h.01M352 49.5h20M352 81.5h20" />
      </g>
      <path className="drawing-water" d="M100 152q10-7 20 0t20 0 20 0 20 0 20 0 20 0 20 0 20 0 20 0 20 0" />
      <path className="drawing-water" d="M120 163q10-7 20 0t20 0 20 0 20 0 20 0 20 0 20 0 20 0" />
      <g className="drawing-key">
        <circle cx="112" cy="104" r="18" />
        <path d="M130 104H314" />
        <path d="M158 138v-6a22 22 0 0 1 44 0v6M214 138v-6a22 22 0 0 1 44 0v6M280 104v34M298 104v20" />
      </g>
    </svg>
  );
}
