import { useEffect, useRef, useState, type ReactNode } from 'react';

interface FoldProps {
  readonly summary: ReactNode;
  readonly className: string;
  /** Opens the content when true. Never closes it, because the user may be working inside. */
  readonly wanted: boolean;
  readonly children: ReactNode;
}

/** Content that is collapsed until needed. */
export function Fold({ summary, className, wanted, children }: FoldProps) {
  const fold = useRef<HTMLDetailsElement>(null);
  const [atFirst] = useState(wanted);
  useEffect(() => {
    if (wanted && fold.current) fold.current.open = true;
  }, [wanted]);
  return (
    <details ref={fold} className={`more ${className}`} open={atFirst}>
      <summary>{summary}</summary>
      {children}
    </details>
  );
}
