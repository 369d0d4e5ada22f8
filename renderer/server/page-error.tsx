import type { ServerDetail, ServerStatus } from '../../shared/model.ts';
import { useServerActs } from '../acts.ts';
import { messages } from '../messages.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { revealField } from './settings/setting-of.ts';

const words = messages.server;

/**
 * The way back from an error page of the provider, which sends nothing to Keybridge: what may be wrong, and what to do.
 */
export function PageError({
  server,
  detail,
}: {
  readonly server: ServerStatus;
  readonly detail: ServerDetail | undefined;
}) {
  const acts = useServerActs(server);
  const entered = detail?.registration === 'configured';
  const change = () => {
    acts.cancelSignIn();
    revealField('clientId');
  };
  return (
    <details className="more">
      <summary>{words.errorPageTitle}</summary>
      <div className="page-error">
        <p className="hint">{entered ? words.errorPageConfigured : words.errorPageDynamic}</p>
        {entered && detail.redirectUri !== undefined && (
          <div className="device-line">
            <span className="device-url">
              <Foreign text={detail.redirectUri} mono />
            </span>
            <CopyButton
              small
              text={detail.redirectUri}
              label={messages.servers.about(messages.copy, detail.redirectUri)}
            >
              {messages.copy}
            </CopyButton>
          </div>
        )}
        {entered ? (
          <Button onClick={change}>{words.changeClientId}</Button>
        ) : (
          <Button onClick={acts.startAgain}>{words.startAgain}</Button>
        )}
      </div>
    </details>
  );
}
