import type { HostSnippet } from '../../shared/model.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { t } from '../text.ts';

/** One app: where the text goes, the exact text, and what to do then. */
export function SnippetPanel({ snippet }: { readonly snippet: HostSnippet }) {
  const command = snippet.language === 'shell';
  return (
    <>
      <h2>{snippet.title}</h2>
      <ol className="todo">
        <li>
          <p>{command ? t('connect.run') : t('connect.file')}</p>
          {!command && <Place place={snippet.place} />}
          <div className="snippet">
            <pre className="code-block">
              <code>{snippet.text}</code>
            </pre>
            <CopyButton kind="primary" text={snippet.text}>
              {command ? t('connect.copyCommand') : t('connect.copyText')}
            </CopyButton>
          </div>
        </li>
        <li>
          <p>{command ? t('connect.afterCommand') : t('connect.afterFile')}</p>
        </li>
      </ol>
    </>
  );
}

/** Usually a file, whose path can be copied; a description for an unknown app. */
function Place({ place }: { readonly place: string }) {
  const file = /[\\/]/.test(place);
  return (
    <p className="place">
      <Foreign text={place} mono={file} />
      {file && (
        <CopyButton kind="quiet" small text={place} label={t('connect.copyPlace')}>
          {t('common.copy')}
        </CopyButton>
      )}
    </p>
  );
}
