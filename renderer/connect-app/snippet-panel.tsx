import type { HostSnippet } from '../../shared/model.ts';
import { messages, snippetWords } from '../messages.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Foreign } from '../parts/foreign.tsx';

/** One app: where the text goes, the exact text, and what to do then. */
export function SnippetPanel({ snippet }: { readonly snippet: HostSnippet }) {
  const words = snippetWords(snippet);
  return (
    <>
      <h2>{snippet.title}</h2>
      <ol className="todo">
        <li>
          <p>{words.place}</p>
          <p className="place">
            <Foreign text={snippet.place} mono={snippet.language !== 'shell'} />
            {snippet.language !== 'shell' && (
              <CopyButton kind="quiet" small text={snippet.place} label={messages.connect.copyPlace}>
                {messages.copy}
              </CopyButton>
            )}
          </p>
          <div className="snippet">
            <pre className="code-block">
              <code>{snippet.text}</code>
            </pre>
            <CopyButton kind="primary" text={snippet.text}>
              {words.copy}
            </CopyButton>
          </div>
        </li>
        <li>
          <p>{words.after}</p>
        </li>
      </ol>
    </>
  );
}
