import type { SetAside } from '../../shared/model.ts';
import { acceptServer } from '../acts.ts';
import { messages } from '../messages.ts';
import { Banner, ErrorWords } from '../parts/banner.tsx';
import { Button } from '../parts/button.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { useShell } from '../shell.ts';

/** Servers that are not used: changed by another program, which a person can accept, or not understood. */
export function SetAsideServers({ setAside }: { readonly setAside: readonly SetAside[] }) {
  const shell = useShell();
  const { title, use } = messages.setAside;
  return setAside.map(({ key, name, url, why, error }) => (
    <Banner
      key={key}
      tone="attention"
      title={title(name)}
      action={
        why === 'changed' && (
          <Button busy={shell.running('acceptServer', key)} onClick={() => acceptServer(shell, key, name)}>
            {use}
          </Button>
        )
      }
    >
      <ErrorWords
        error={error}
        about={url === undefined ? name : `${name}, ${url}`}
        action={
          url !== undefined && (
            <p>
              {messages.setAside.address} <Foreign text={url} mono />
            </p>
          )
        }
      />
    </Banner>
  ));
}
