import type { ServerStatus } from '../../shared/model.ts';
import { Foreign } from '../parts/foreign.tsx';
import { AppsIcon } from '../parts/icons.tsx';
import { Section } from '../parts/page.tsx';
import { t } from '../text.ts';

/** The apps that use the server right now. */
export function AppsSection({ server }: { readonly server: ServerStatus }) {
  return (
    <Section id="apps-title" title={t('server.apps')}>
      {server.hosts.length === 0 ? (
        <p className="card quiet">{t('server.noApps')}</p>
      ) : (
        <ul className="card apps">
          {countEach(server.hosts).map(({ host, count }) => (
            <li key={host}>
              <AppsIcon size={16} />
              <Foreign text={host} />
              {count > 1 && <span className="quiet">× {count}</span>}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** An app that is open twice gives one line. */
function countEach(hosts: readonly string[]): { readonly host: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const host of hosts) counts.set(host, (counts.get(host) ?? 0) + 1);
  return [...counts].map(([host, count]) => ({ host, count }));
}
