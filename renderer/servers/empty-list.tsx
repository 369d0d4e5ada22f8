import { messages } from '../messages.ts';
import { Button } from '../parts/button.tsx';
import { PlusIcon } from '../parts/icons.tsx';
import { useShell } from '../shell.ts';

/** The first thing that a new user sees: one picture, one sentence, one thing to do. */
export function EmptyList() {
  const { go } = useShell();
  return (
    <div className="empty">
      <BridgeDrawing />
      <h1>{messages.servers.emptyTitle}</h1>
      <p>{messages.servers.emptyText}</p>
      <Button kind="primary" onClick={() => go({ at: 'add_server' })}>
        <PlusIcon size={18} />
        {messages.servers.emptyAction}
      </Button>
    </div>
  );
}

/** Apps on the left bank, a server on the right, and a key for a bridge. */
function BridgeDrawing() {
  return (
    <svg className="drawing" viewBox="0 0 360 150" fill="none" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      <path className="drawing-bank" d="M0 150V92h66c8 0 12 5 12 12v46H0ZM360 150V92h-66c-8 0-12 5-12 12v46h78Z" />
      <g className="drawing-quiet">
        <rect x="12" y="46" width="42" height="32" rx="5" />
        <path d="M12 56h42M18 51h0M23 51h0" />
        <rect x="26" y="30" width="42" height="32" rx="5" />
        <path d="M26 40h42M32 35h0M37 35h0" />
        <rect x="300" y="28" width="44" height="24" rx="5" />
        <rect x="300" y="56" width="44" height="24" rx="5" />
        <path d="M308 40h0M308 68h0M318 40h18M318 68h18" />
      </g>
      <g className="drawing-water">
        <path d="M92 136c8 0 8-5 16-5s8 5 16 5 8-5 16-5 8 5 16 5 8-5 16-5 8 5 16 5 8-5 16-5 8 5 16 5 8-5 16-5 8 5 16 5 8-5 14-5" />
      </g>
      <g className="drawing-key">
        <circle cx="102" cy="92" r="19" />
        <circle cx="102" cy="92" r="7" />
        <path d="M121 92H290" />
        <path d="M150 120v-3a21 21 0 0 1 42 0v3M204 120v-3a21 21 0 0 1 42 0v3M268 92v28" />
      </g>
    </svg>
  );
}
