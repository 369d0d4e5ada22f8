import { useState } from 'react';
import type { Output } from '../../../shared/api.ts';
import { after } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { FormDialog, InfoDialog } from '../../parts/dialog.tsx';
import { CheckField } from '../../parts/field.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { SelectField } from '../../parts/select-field.tsx';
import { ScrollingCode } from '../../parts/scrolling.tsx';
import { useShell } from '../../shell.ts';
import type { FormPart } from './form-part.ts';
import { choices, t } from '../../text.ts';

type MadeKey = Output<'generateKey'>;

/** Generates the key for `private_key_jwt` in the keychain and shows the public key. */
export function MakeKey({ part, entry }: { readonly part: FormPart; readonly entry: string }) {
  const [asking, setAsking] = useState(false);
  const [made, setMade] = useState<MadeKey>();
  const close = () => {
    setMade(undefined);
    part.reload();
  };
  return (
    <div className="field make-key">
      <Button small disabled={part.unsaved} onClick={() => setAsking(true)}>
        {t('settings.makeKey')}
      </Button>
      {part.unsaved && <p className="hint">{t('settings.makeKeySaveFirst')}</p>}
      {asking && (
        <MakeKeyDialog
          entry={entry}
          wanted={part.form.settings.signingAlgorithm}
          stored={part.stored.includes('privateKey')}
          onMade={(key) => {
            setAsking(false);
            setMade(key);
          }}
          onClose={() => setAsking(false)}
        />
      )}
      {made && (
        <InfoDialog title={t('settings.keyMade')} text={t('settings.keyMadeText')} onClose={close}>
          <dl className="facts">
            <dt>{t('settings.keyId')}</dt>
            <dd>
              <Foreign text={made.kid} mono />
            </dd>
          </dl>
          <ScrollingCode className="public-key">{made.publicPem}</ScrollingCode>
          <div className="key-copies">
            <CopyButton text={JSON.stringify(made.publicJwk, undefined, 2)}>{t('settings.copyJwk')}</CopyButton>
            <CopyButton text={made.publicPem}>{t('settings.copyPem')}</CopyButton>
          </div>
        </InfoDialog>
      )}
    </div>
  );
}

const keyKinds = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const;

interface MakeKeyDialogProps {
  readonly entry: string;
  readonly wanted: (typeof keyKinds)[number] | undefined;
  readonly stored: boolean;
  readonly onMade: (key: MadeKey) => void;
  readonly onClose: () => void;
}

function MakeKeyDialog({ entry, wanted = 'ES256', stored, onMade, onClose }: MakeKeyDialogProps) {
  const { run, running } = useShell();
  const [algorithm, setAlgorithm] = useState(wanted);
  const [replace, setReplace] = useState(false);
  const [error, setError] = useState<string>();
  const make = () => {
    if (stored && !replace) return setError(t('settings.makeKeyReplaceMissing'));
    after(run('generateKey', { server: entry, algorithm, replace }), (reply) => {
      if (reply.ok) onMade(reply.value);
      else setError(t('trouble.messageWithCode', reply.error));
    });
  };
  return (
    <FormDialog
      title={t('settings.makeKeyTitle')}
      text={t('settings.makeKeyText')}
      confirm={t('settings.makeKeyDo')}
      busy={running('generateKey', entry)}
      onSubmit={make}
      onClose={onClose}
    >
      <SelectField
        label={t('settings.makeKeyKind')}
        value={algorithm}
        choices={choices(keyKinds, (kind) => t(`settings.makeKeyKinds.${kind}`))}
        onChange={setAlgorithm}
        hint={t('settings.makeKeyKindHint')}
        error={stored ? undefined : error}
      />
      {stored && (
        <CheckField
          label={t('settings.makeKeyReplace')}
          checked={replace}
          onChange={(yes) => {
            setReplace(yes);
            setError(undefined);
          }}
          hint={t('settings.makeKeyReplaceHint')}
          error={error}
        />
      )}
    </FormDialog>
  );
}
