import { Fragment } from 'react';
import type { EndpointHost, ServerStatus } from '../../shared/model.ts';
import { hostRows } from '../../shared/sign-in-hosts.ts';
import { useServerActs } from '../acts.ts';
import { confirmMessages } from '../confirm-messages.ts';
import { Button } from '../parts/button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { useShell } from '../shell.ts';

/** The question before a sign-in whose hosts belong to different owners. "Cancel" beside the state is the no. */
export function ConfirmHosts({
  server,
  hosts,
}: {
  readonly server: ServerStatus;
  readonly hosts: readonly EndpointHost[];
}) {
  const { running } = useShell();
  const acts = useServerActs(server);
  return (
    <section className="confirm-hosts" aria-labelledby="confirm-hosts-title">
      <h3 id="confirm-hosts-title">{confirmMessages.title}</h3>
      <dl className="facts">
        {hostRows(hosts).map(({ words, host }) => (
          <Fragment key={`${words} ${host}`}>
            <dt>{confirmMessages.row(words)}</dt>
            <dd>
              <Foreign text={host} mono />
            </dd>
          </Fragment>
        ))}
      </dl>
      <p className="hint">{confirmMessages.why}</p>
      <Button kind="plain" busy={running('confirmSignIn', server.id)} onClick={() => acts.confirmSignIn(hosts)}>
        {confirmMessages.yes}
      </Button>
    </section>
  );
}
