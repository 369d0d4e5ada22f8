import { Fragment } from 'react';
import type { ServerStatus } from '../../shared/model.ts';
import { hostLabel, hostRows } from '../../shared/sign-in-hosts.ts';
import { useServerActions } from '../server-actions.ts';
import { Button } from '../parts/button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { useShell } from '../shell.ts';
import { t } from '../text.ts';
import type { EndpointHost } from '../../shared/sign-in-state.ts';

/** Asks for confirmation if the hosts of a sign-in have different owners. "Cancel" beside the state declines. */
export function ConfirmHosts({
  server,
  hosts,
}: {
  readonly server: ServerStatus;
  readonly hosts: readonly EndpointHost[];
}) {
  const { running } = useShell();
  const actions = useServerActions(server);
  return (
    <section className="confirm-hosts" aria-labelledby="confirm-hosts-title">
      <h3 id="confirm-hosts-title">{t('confirm.title')}</h3>
      <dl className="facts">
        {hostRows(hosts).map((row) => (
          <Fragment key={`${row.what} ${row.host}`}>
            <dt>{hostLabel(row)}</dt>
            <dd>
              <Foreign text={row.host} mono />
            </dd>
          </Fragment>
        ))}
      </dl>
      <p className="hint">{t('confirm.why')}</p>
      <Button kind="plain" busy={running('confirmSignIn', server.id)} onClick={() => actions.confirmSignIn(hosts)}>
        {t('confirm.yes')}
      </Button>
    </section>
  );
}
