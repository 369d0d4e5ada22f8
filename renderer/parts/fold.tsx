import { useEffect, useRef, useState, type ReactNode } from 'react';

interface FoldProps {
  readonly summary: ReactNode;
  readonly className: string;
  /** Something inside wants to be seen: opens it. It never closes by itself, somebody may be at work inside. */
  readonly wanted: boolean;
  readonly children: ReactNode;
}

/** What is folded away until it is wanted. */
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
