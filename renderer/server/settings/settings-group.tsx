import type { ReactNode } from 'react';
import { Fold } from '../../parts/fold.tsx';
import { Foreign } from '../../parts/foreign.tsx';

interface SettingsGroupProps {
  readonly title: string;
  readonly text: string;
  /** How it stands, in a few words, to be read without opening it. */
  readonly value: string;
  /** An error is about something inside. */
  readonly wanted: boolean;
  readonly children: ReactNode;
}

/** A collapsed group of settings; its summary shows their current value. */
export function SettingsGroup({ title, text, value, wanted, children }: SettingsGroupProps) {
  return (
    <Fold
      className="settings-group"
      wanted={wanted}
      summary={
        <>
          <h3>{title}</h3>
          <span className="settings-value">
            <Foreign text={value} cut />
          </span>
        </>
      }
    >
      <div className="settings-fields">
        <p className="section-text">{text}</p>
        {children}
      </div>
    </Fold>
  );
}
