import { useEffect, useRef, type ReactNode } from 'react';
import type { Screen } from '../screen.ts';
import { useShell } from '../shell.ts';
import { BackIcon } from './icons.tsx';
import { t } from '../text.ts';

interface PageProps {
  readonly back: Screen;
  readonly backWords?: string;
  /** The heading's words, and what stands beside them. */
  readonly title: ReactNode;
  readonly aside?: ReactNode;
  readonly lead?: ReactNode;
  /** Focuses a field of the page instead of the heading. */
  readonly fieldFirst?: boolean;
  readonly children: ReactNode;
}

/**
 * A screen below the list: the way back, its heading (which takes the focus, so that it is read first), its content.
 */
export function Page({
  back,
  backWords = t('common.back'),
  title,
  aside,
  lead,
  fieldFirst = false,
  children,
}: PageProps) {
  const { go } = useShell();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!fieldFirst) heading.current?.focus({ preventScroll: true });
  }, [fieldFirst]);
  return (
    <div className="page">
      <button type="button" className="back" onClick={() => go(back)}>
        <BackIcon size={18} />
        <bdi>{backWords}</bdi>
      </button>
      <div className="page-head">
        <div className="page-title">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead !== undefined && <p className="lead">{lead}</p>}
        </div>
        {aside}
      </div>
      {children}
    </div>
  );
}

/** A titled part of a page. */
export function Section({
  title,
  text,
  children,
  id,
}: {
  readonly title: string;
  readonly text?: string;
  readonly children: ReactNode;
  readonly id: string;
}) {
  return (
    <section className="section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {text !== undefined && <p className="section-text">{text}</p>}
      {children}
    </section>
  );
}
