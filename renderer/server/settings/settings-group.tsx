import type { ReactNode } from 'react';
import { Foreign } from '../../parts/foreign.tsx';

interface SettingsGroupProps {
  readonly title: string;
  readonly text: string;
  /** How it stands, in a few words, to be read without opening it. */
  readonly value: string;
  /** Open from the start. */
  readonly open: boolean;
  readonly children: ReactNode;
}

/** Settings that belong together, folded away; its line says how they stand. */
export function SettingsGroup({ title, text, value, open, children }: SettingsGroupProps) {
  return (
    <details className="more settings-group" open={open}>
      <summary>
        <h3>{title}</h3>
        <span className="settings-value">
          <Foreign text={value} cut />
        </span>
      </summary>
      <div className="settings-fields">
        <p className="section-text">{text}</p>
        {children}
      </div>
    </details>
  );
}
