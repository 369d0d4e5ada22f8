import type { ReactNode } from 'react';
import { stateTone } from '../../shared/server-state.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';

/** A state as colour and shape. Decorative: its text is always beside it. */
export function StateGlyph({ state, large = false }: { readonly state: SignInState; readonly large?: boolean }) {
  return (
    <span
      className={`glyph tone-${stateTone(state)}${large ? ' glyph-large' : ''}`}
      data-state={state.kind}
      aria-hidden="true"
    >
      <svg
        viewBox="0 0 20 20"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
        focusable="false"
      >
        {shapes[state.kind]}
      </svg>
    </span>
  );
}

/** One shape per state, so that colour is never the only sign. */
const shapes: Readonly<Record<SignInState['kind'], ReactNode>> = {
  signed_in: <circle cx="10" cy="10" r="5.5" fill="currentColor" stroke="none" />,
  signed_out: <circle cx="10" cy="10" r="5" />,
  not_signed_in: (
    <>
      <circle cx="10" cy="10" r="5" />
      <path d="M7.8 10h4.4" />
    </>
  ),
  not_checked: (
    <>
      <path d="M7.4 7.6a2.7 2.7 0 1 1 3.9 2.4c-.8.4-1.3 1-1.3 1.9" />
      <path d="M10 14.6v.1" />
    </>
  ),
  open: <circle cx="10" cy="10" r="5" strokeDasharray="0.1 3.82" />,
  signing_in: (
    <g className="spin">
      <circle cx="10" cy="10" r="6" opacity="0.25" />
      <path d="M10 4a6 6 0 0 1 6 6" />
    </g>
  ),
  retrying: (
    <>
      <circle cx="10" cy="10" r="5.5" opacity="0.3" />
      <path d="M10 4.5a5.5 5.5 0 0 1 0 11" />
    </>
  ),
  needs_sign_in: (
    <>
      <circle cx="7" cy="10" r="3" />
      <path d="M10 10h6.5v3M13.6 10v2.2" />
    </>
  ),
  needs_access: <path d="M10 4.5v11M4.5 10h11" strokeWidth="2.4" />,
  store_blocked: <rect x="5" y="5" width="10" height="10" rx="1.5" fill="currentColor" stroke="none" />,
};
