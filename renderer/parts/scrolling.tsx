import { useEffect, useRef, useState, type ReactNode, type RefObject } from 'react';

/** Makes an element focusable for scrolling only if its content overflows (WCAG 2.1.1). */
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

/** A list that scrolls if it is too long. `label`: its accessible name. */
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

/** Text to copy, which scrolls if it is too long. */
export function ScrollingCode({ className, children }: { readonly className: string; readonly children: ReactNode }) {
  const code = useRef<HTMLPreElement>(null);
  return (
    <pre ref={code} className={`scrolling code-block ${className}`} {...useScrolls(code)}>
      {children}
    </pre>
  );
}
