import type { SetAside } from '../../shared/model.ts';
import { acceptServer } from '../server-actions.ts';
import { Banner, ErrorText } from '../parts/banner.tsx';
import { Button } from '../parts/button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { useShell } from '../shell.ts';
import { t } from '../text.ts';

/** Disabled servers: changed by another program, which the user can accept, or invalid. */
export function SetAsideServers({ setAside }: { readonly setAside: readonly SetAside[] }) {
  const shell = useShell();
  return setAside.map(({ key, name, url, why, error }) => (
    <Banner
      key={key}
      tone="attention"
      title={t('setAside.title', { name })}
      action={
        why === 'changed' && (
          <Button busy={shell.running('acceptServer', key)} onClick={() => acceptServer(shell, key, name)}>
            {t('setAside.use')}
          </Button>
        )
      }
    >
      <ErrorText
        error={error}
        about={url === undefined ? name : `${name}, ${url}`}
        action={
          url !== undefined && (
            <p>
              {t('setAside.address')} <Foreign text={url} mono />
            </p>
          )
        }
      />
    </Banner>
  ));
}
