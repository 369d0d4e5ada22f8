import { useState } from 'react';
import type { ErrorInfo } from '../../shared/reply.ts';
import { errorPage } from '../error-pages.ts';
import { errorReport } from '../error-text.ts';
import { Button } from './button.tsx';
import { CopyButton } from './copy-button.tsx';
import { InfoDialog } from './dialog.tsx';
import { Foreign } from './foreign.tsx';
import { rich, t } from '../text.ts';

/** The raw message, the code, its page, and a report to copy. */
export function ErrorDetails({ error, about }: { readonly error: ErrorInfo; readonly about: string | undefined }) {
  const [reading, setReading] = useState(false);
  return (
    <details className="more error-details">
      <summary>{t('trouble.details')}</summary>
      <p className="raw">
        <Foreign text={error.message} />
      </p>
      <div className="error-foot">
        <p className="code">{rich('trouble.code', { code: <code>{error.code}</code> })}</p>
        <Button
          kind="quiet"
          small
          onClick={() => setReading(true)}
          label={t('common.labelled', { action: t('trouble.about'), name: error.code })}
        >
          {t('trouble.about')}
        </Button>
        <CopyButton
          kind="quiet"
          small
          text={() => errorReport(error, about, Date.now())}
          label={t('trouble.copyLabel')}
        >
          {t('trouble.copy')}
        </CopyButton>
      </div>
      {reading && <ErrorPageDialog error={error} onClose={() => setReading(false)} />}
    </details>
  );
}

function ErrorPageDialog({ error: { code }, onClose }: { readonly error: ErrorInfo; readonly onClose: () => void }) {
  const { plain, sections } = errorPage(code);
  return (
    <InfoDialog title={code} text={plain} onClose={onClose}>
      {sections.map(({ title, lines }) => (
        <section key={title} className="error-page">
          <h3>{title}</h3>
          <ul className="consequences">
            {lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </section>
      ))}
    </InfoDialog>
  );
}
