import { useState, type FormEvent } from 'react';
import type { CallInput } from '../../shared/api.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { startSignIn } from '../server-actions.ts';
import { after } from '../api.ts';
import { NoticeBanner } from '../parts/banner.tsx';
import { Button } from '../parts/button.tsx';
import { TextField } from '../parts/field.tsx';
import { Foreign } from '../parts/foreign.tsx';
import { SelectField } from '../parts/select-field.tsx';
import type { FormPart } from '../server/settings/form-part.ts';
import { SeenIssuers } from '../server/settings/issuer-fields.tsx';
import { NamedSecret, NamedText } from '../server/settings/named-fields.tsx';
import { problemsOf } from '../server/settings/problems.ts';
import { revealField } from '../server/settings/setting-of.ts';
import { settingsOf, type SettingsForm } from '../server/settings/settings-change.ts';
import { useShell } from '../shell.ts';
import { needOf, type Need } from './need.ts';
import { choices, t } from '../text.ts';

const ways = ['later', 'key', 'old'] as const;

interface FailedDiscoveryProps {
  readonly url: string;
  readonly error: ErrorInfo;
  /** The settings entered so far. */
  readonly form: SettingsForm;
  readonly onForm: (form: SettingsForm) => void;
  /** Looks again, with the settings of this form. */
  readonly onCheck: (form: SettingsForm) => void;
  /** Looks at another address instead. */
  readonly onAddress: (url: string) => void;
}

/** Discovery failed: asks for what may be missing, or adds the server to complete it later. */
export function FailedDiscovery({ url, error, form, onForm, onCheck, onAddress }: FailedDiscoveryProps) {
  const need = needOf(error);
  const { part, problem, check } = useNeedForm(form, onForm, error);
  const { adding, refused, addAnyway } = useAddAnyway(url);
  const [name, setName] = useState('');
  if (need === undefined) return null;
  if (need === 'address') return <OtherAddresses addresses={error.addresses ?? []} onAddress={onAddress} />;
  const withKey = need === 'way' && form.settings.grant === 'static_header';

  const addIt = () => check(() => addAnyway(name.trim(), form));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (withKey) addIt();
    else check(() => onCheck(form));
  };
  return (
    <form className="card found needed" onSubmit={submit} noValidate aria-labelledby="needed-title">
      <h2 id="needed-title">{t(`need.${need}.title`)}</h2>
      <p className="found-summary">{t(`need.${need}.text`)}</p>
      <NeedFields need={need} part={part} error={error} onCheck={onCheck} />
      {mayAdd(need, form.settings.clientCertificateFile) && (
        <div className="part">
          <TextField
            label={t('add.name')}
            value={name}
            onChange={setName}
            hint={t('need.nameHint')}
            error={problem('name')}
            maxLength={100}
            optional
          />
        </div>
      )}
      {refused && <NoticeBanner notice={{ kind: 'error', title: t('add.addFailed'), error: refused }} />}
      <div className="form-foot">
        {withKey ? (
          <Button kind="primary" submit busy={adding}>
            {t('need.addWithKey')}
          </Button>
        ) : (
          <>
            <AddButton need={need} certificate={form.settings.clientCertificateFile} adding={adding} onAdd={addIt} />
            {need !== 'issuers' && need !== 'broken' && (
              <Button kind="primary" submit>
                {t('need.checkAgain')}
              </Button>
            )}
          </>
        )}
      </div>
    </form>
  );
}

/**
 * Nothing is added where the verdict is not to sign in; but a client certificate is tried only by the server's own
 * entry.
 */
const mayAdd = (need: Need, certificate: string | undefined): boolean =>
  need !== 'issuers' && (need !== 'certificates' || (certificate ?? '') !== '');

function AddButton({
  need,
  certificate,
  adding,
  onAdd,
}: {
  readonly need: Need;
  readonly certificate: string | undefined;
  readonly adding: boolean;
  readonly onAdd: () => void;
}) {
  if (!mayAdd(need, certificate)) return null;
  return (
    <Button kind={need === 'broken' ? 'primary' : 'plain'} busy={adding} onClick={onAdd}>
      {need === 'certificates'
        ? t('need.addWithCertificate')
        : need === 'broken'
          ? t('need.addForLater')
          : t('need.addAnyway')}
    </Button>
  );
}

/** Other addresses at which discovery found a server. */
function OtherAddresses({
  addresses,
  onAddress,
}: {
  readonly addresses: readonly string[];
  readonly onAddress: (url: string) => void;
}) {
  return (
    <section className="card found needed" aria-labelledby="needed-title">
      <h2 id="needed-title">{t('need.address.title')}</h2>
      <p className="found-summary">{t('need.address.text')}</p>
      <ul className="part other-addresses">
        {addresses.map((address, at) => (
          <li key={address}>
            <Foreign text={address} mono />
            <Button
              kind={at === 0 ? 'primary' : 'plain'}
              onClick={() => onAddress(address)}
              {...(addresses.length > 1
                ? { label: t('common.labelled', { action: t('need.useAddress'), name: address }) }
                : {})}
            >
              {t('need.useAddress')}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface NeedFieldsProps {
  readonly need: Need;
  readonly part: FormPart;
  readonly error: ErrorInfo;
  readonly onCheck: (form: SettingsForm) => void;
}

function NeedFields({ need, part, error, onCheck }: NeedFieldsProps) {
  const { form } = part;
  const { settings } = form;
  switch (need) {
    case 'certificates':
      return (
        <div className="part">
          <NamedText part={part} name="caFile" />
          <NamedText part={part} name="clientCertificateFile" />
          {(settings.clientCertificateFile ?? '') !== '' && (
            <NamedSecret part={part} name="clientCertificatePassword" hint={t('need.passwordHint')} />
          )}
        </div>
      );
    case 'way': {
      const way = settings.grant === 'static_header' ? 'key' : settings.legacyEndpoints ? 'old' : 'later';
      const choose = (chosen: (typeof ways)[number]) => {
        const { grant: _grant, legacyEndpoints: _legacy, ...rest } = settings;
        part.set({
          settings:
            chosen === 'key'
              ? { ...rest, grant: 'static_header' }
              : chosen === 'old'
                ? { ...rest, legacyEndpoints: true }
                : rest,
        });
      };
      return (
        <div className="part">
          <SelectField
            label={t('need.wayLabel')}
            value={way}
            choices={choices(ways, (one) => t(`need.ways.${one}`))}
            onChange={choose}
            hint={t(`need.wayHints.${way}`)}
          />
          {way === 'key' && (
            <>
              <NamedSecret part={part} name="headerValue" />
              <NamedText part={part} name="headerName" />
            </>
          )}
        </div>
      );
    }
    case 'issuers':
      return error.issuers ? (
        <SeenIssuers
          issuers={error.issuers}
          onAccept={() => onCheck({ ...form, settings: { ...settings, issuerException: error.issuers } })}
        />
      ) : null;
    case 'reach':
    case 'broken':
    case 'address':
      return null;
  }
}

/** The state of settings fields for a server that is not added yet. */
function useNeedForm(form: SettingsForm, onForm: (form: SettingsForm) => void, error: ErrorInfo) {
  const [tried, setTried] = useState(false);
  const problems = tried ? problemsOf(form, []) : {};
  const problem = (field: string): string | undefined =>
    problems[field] ?? (error.field === field ? error.message : undefined);
  const part: FormPart = {
    form,
    stored: [],
    entry: undefined,
    reload: () => {},
    unsaved: false,
    mayOwnClient: false,
    ownsClient: false,
    lastError: error,
    problem,
    set: (change) => onForm({ ...form, ...change }),
  };
  const check = (then: () => void) => {
    setTried(true);
    const [wrong] = Object.keys(problemsOf(form, []));
    if (wrong === undefined) then();
    else requestAnimationFrame(() => revealField(wrong));
  };
  return { part, problem, check };
}

function useAddAnyway(url: string) {
  const shell = useShell();
  const [refused, setRefused] = useState<ErrorInfo>();
  const addAnyway = (name: string, form: SettingsForm) => {
    setRefused(undefined);
    const settings = settingsOf(form);
    const secrets = Object.fromEntries(Object.entries(form.secrets).filter(([, value]) => typeof value === 'string'));
    const input: CallInput<'addServer'> = {
      url,
      settings,
      ...(name.trim() === '' ? {} : { name }),
      ...(Object.keys(secrets).length > 0 ? { secrets } : {}),
    };
    after(shell.run('addServer', input), (reply) => {
      if (!reply.ok) return setRefused(reply.error);
      shell.go({ at: 'server', server: reply.value.id });
      if (settings.grant === 'static_header') startSignIn(shell, reply.value);
    });
  };
  return { adding: shell.running('addServer'), refused, addAnyway };
}
