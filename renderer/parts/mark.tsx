/** The app's logo: a key whose shaft is a bridge. */
export function Mark({ size = 28 }: { readonly size?: number }) {
  return (
    <svg
      className="mark"
      width={size}
      height={size}
      viewBox="0 0 32 32"
      fill="none"
      aria-hidden="true"
      focusable="false"
    >
      <rect className="mark-ground" width="32" height="32" rx="8" />
      <g className="mark-line" strokeWidth="2.4" strokeLinecap="round" strokeLinejoin="round">
        <circle cx="9.6" cy="13.6" r="3.9" />
        <path d="M13.6 13.6H26.4" />
        <path d="M15.8 21.4v-.6a3.6 3.6 0 0 1 7.2 0v.6M26.4 13.6v7.8" />
      </g>
    </svg>
  );
}
