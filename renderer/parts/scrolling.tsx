import { useEffect, useRef, useState, type ReactNode, type RefObject } from 'react';

/** Whether there is more in it than it shows: only then the keyboard stops there, to scroll it (WCAG 2.1.1). */
function useScrolls(ref: RefObject<HTMLElement | null>): { readonly tabIndex?: 0 } {
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const shown = ref.current;
    if (!shown) return undefined;
    const observer = new ResizeObserver(() => setScrolls(shown.scrollHeight > shown.clientHeight));
    observer.observe(shown);
    return () => observer.disconnect();
  }, [ref]);
  return scrolls ? { tabIndex: 0 } : {};
}

/** A list that may be longer than the room that it has. `label`: what it is a list of. */
export function ScrollingList({
  className,
  label,
  children,
}: {
  readonly className: string;
  readonly label: string;
  readonly children: ReactNode;
}) {
  const list = useRef<HTMLUListElement>(null);
  return (
    <ul ref={list} className={`scrolling ${className}`} aria-label={label} {...useScrolls(list)}>
      {children}
    </ul>
  );
}

/** Text to be copied that may be longer than the room that it has. */
export function ScrollingCode({ className, children }: { readonly className: string; readonly children: ReactNode }) {
  const code = useRef<HTMLPreElement>(null);
  return (
    <pre ref={code} className={`scrolling code-block ${className}`} {...useScrolls(code)}>
      {children}
    </pre>
  );
}
