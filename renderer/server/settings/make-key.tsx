import { useState } from 'react';
import type { Output } from '../../../shared/api.ts';
import { after } from '../../api.ts';
import { messages } from '../../messages.ts';
import { Button } from '../../parts/button.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { FormDialog, InfoDialog } from '../../parts/dialog.tsx';
import { CheckField } from '../../parts/field.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { SelectField } from '../../parts/select-field.tsx';
import { ScrollingCode } from '../../parts/scrolling.tsx';
import { useShell } from '../../shell.ts';
import type { FormPart } from './form-part.ts';
import { settingsMessages as words } from './settings-messages.ts';

type MadeKey = Output<'generateKey'>;

/** Makes the key of `private_key_jwt` in the keychain, and shows its public half. */
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
        {words.makeKey}
      </Button>
      {part.unsaved && <p className="hint">{words.makeKeySaveFirst}</p>}
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
        <InfoDialog title={words.keyMade} text={words.keyMadeText} onClose={close}>
          <dl className="facts">
            <dt>{words.keyId}</dt>
            <dd>
              <Foreign text={made.kid} mono />
            </dd>
          </dl>
          <ScrollingCode className="public-key">{made.publicPem}</ScrollingCode>
          <div className="key-copies">
            <CopyButton text={JSON.stringify(made.publicJwk, undefined, 2)}>{words.copyJwk}</CopyButton>
            <CopyButton text={made.publicPem}>{words.copyPem}</CopyButton>
          </div>
        </InfoDialog>
      )}
    </div>
  );
}

interface MakeKeyDialogProps {
  readonly entry: string;
  readonly wanted: keyof typeof words.makeKeyKinds | undefined;
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
    if (stored && !replace) return setError(words.makeKeyReplaceMissing);
    after(run('generateKey', { server: entry, algorithm, replace }), (reply) => {
      if (reply.ok) onMade(reply.value);
      else setError(`${reply.error.message} ${messages.trouble.code} ${reply.error.code}.`);
    });
  };
  return (
    <FormDialog
      title={words.makeKeyTitle}
      text={words.makeKeyText}
      confirm={words.makeKeyDo}
      busy={running('generateKey', entry)}
      onSubmit={make}
      onClose={onClose}
    >
      <SelectField
        label={words.makeKeyKind}
        value={algorithm}
        choices={words.makeKeyKinds}
        onChange={setAlgorithm}
        hint={words.makeKeyKindHint}
        error={stored ? undefined : error}
      />
      {stored && (
        <CheckField
          label={words.makeKeyReplace}
          checked={replace}
          onChange={(yes) => {
            setReplace(yes);
            setError(undefined);
          }}
          hint={words.makeKeyReplaceHint}
          error={error}
        />
      )}
    </FormDialog>
  );
}
