import { useRef, useState, type FormEvent } from 'react';
import type { ServerDetail } from '../../../shared/model.ts';
import type { ErrorInfo } from '../../../shared/reply.ts';
import { startSignIn } from '../../server-actions.ts';
import { after } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { Section } from '../../parts/page.tsx';
import { useShell } from '../../shell.ts';
import type { FormPart } from './form-part.ts';
import { groupOf, groupValue, type GroupName } from './groups.ts';
import { NetworkFields } from './network-fields.tsx';
import { CompatibilityFields, type KnownPreset } from './compatibility-fields.tsx';
import { problemsOf } from './problems.ts';
import { IdentityField, ScopesField } from './scopes-field.tsx';
import { revealField, settingOf } from './setting-of.ts';
import { settingsChange, settingsForm, type SettingsChange, type SettingsForm } from './settings-change.ts';
import { SettingsGroup } from './settings-group.tsx';
import { SignInFields } from './sign-in-fields.tsx';
import { t } from '../../text.ts';

interface SettingsSectionProps {
  readonly detail: ServerDetail;
  readonly presets: readonly KnownPreset[];
  readonly onSaved: () => void;
}

/** All settings of one server, in groups by purpose. */
export function SettingsSection({ detail, presets, onSaved }: SettingsSectionProps) {
  const shell = useShell();
  const { state } = detail.status;
  const lastError = 'error' in state ? state.error : undefined;
  const box = useRef<HTMLFormElement>(null);
  // The button that was pressed goes away with the change that it was for.
  const settled = () => box.current?.focus({ preventScroll: true });
  const { form, part, change, save, reset } = useSettingsForm(detail, lastError, () => {
    settled();
    onSaved();
  });
  const saving = shell.running('configureServer', detail.status.id);
  const erroneousField = lastError && settingOf(lastError);

  const group = (name: GroupName) => ({
    title: t(`settings.groups.${name}.title`),
    text: t(`settings.groups.${name}.text`),
    value: groupValue(name, form),
    wanted: erroneousField !== undefined && groupOf(erroneousField) === name,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save(form);
  };

  return (
    <Section
      id="settings-title"
      title={t('settings.title')}
      text={detail.status.account ? t('settings.textAccounts') : t('settings.text')}
    >
      <form
        ref={box}
        className="card settings"
        onSubmit={submit}
        aria-labelledby="settings-title"
        tabIndex={-1}
        noValidate
      >
        <SettingsGroup {...group('signIn')}>
          <SignInFields part={part} />
        </SettingsGroup>
        {form.settings.grant !== 'static_header' && (
          <SettingsGroup {...group('access')}>
            <ScopesField
              settings={form.settings}
              onChange={(settings) => part.set({ settings })}
              error={part.problem('settings.scopes')}
            />
            <IdentityField part={part} />
          </SettingsGroup>
        )}
        <SettingsGroup {...group('network')}>
          <NetworkFields part={part} />
        </SettingsGroup>
        <SettingsGroup {...group('compatibility')}>
          <CompatibilityFields
            part={part}
            presets={presets}
            onAcceptIssuers={(issuerException) => save({ ...form, settings: { ...form.settings, issuerException } })}
          />
        </SettingsGroup>
        {change && (
          <div className="settings-foot">
            <Button submit kind="primary" busy={saving}>
              {saving ? t('server.saving') : t('settings.save')}
            </Button>
            <Button
              kind="quiet"
              disabled={saving}
              onClick={() => {
                reset();
                settled();
              }}
            >
              {t('settings.undo')}
            </Button>
          </div>
        )}
      </form>
    </Section>
  );
}

function useSettingsForm(detail: ServerDetail, lastError: ErrorInfo | undefined, onSaved: () => void) {
  const shell = useShell();
  const { id } = detail.status;
  const [form, setForm] = useState(() => settingsForm(detail));
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState<ErrorInfo>();
  // What was saved here, or changed elsewhere meanwhile, is what the form starts from again.
  const base = JSON.stringify([
    detail.registration,
    detail.clientId,
    detail.ownClient,
    detail.allowMissingPkce,
    detail.settings,
  ]);
  const [shownBase, setShownBase] = useState(base);
  if (base !== shownBase) {
    setShownBase(base);
    setForm(settingsForm(detail));
  }
  const problems = tried ? problemsOf(form, detail.storedSecrets) : {};
  const lastField = lastError?.field === undefined ? undefined : settingOf(lastError);

  const part: FormPart = {
    form,
    stored: detail.storedSecrets,
    lastError,
    entry: id,
    reload: onSaved,
    unsaved: settingsChange(detail, form) !== undefined,
    ownsClient: detail.status.account !== undefined && detail.ownClient,
    mayOwnClient: detail.status.account !== undefined && !detail.ownClient,
    set: (changed) => {
      setForm((before) => ({ ...before, ...changed }));
      setRefused(undefined);
    },
    problem: (field) => {
      if (problems[field] !== undefined) return problems[field];
      if (refused && settingOf(refused) === field) return refused.message;
      return lastError && lastField === field ? t('settings.lastSignIn', { message: lastError.message }) : undefined;
    },
  };

  const save = (wanted: SettingsForm) => {
    const change = settingsChange(detail, wanted);
    if (!change || shell.running('configureServer', id)) return;
    setForm(wanted);
    setTried(true);
    shell.show(undefined);
    const [wrong] = Object.keys(problemsOf(wanted, detail.storedSecrets));
    if (wrong !== undefined) return soon(() => revealField(wrong));
    send(change);
  };

  const send = (change: SettingsChange) =>
    after(shell.run('configureServer', { server: id, ...change }), (reply) => {
      if (!reply.ok) {
        const field = settingOf(reply.error);
        setRefused(reply.error);
        if (reply.error.field !== undefined && field !== undefined) return soon(() => revealField(field));
        return shell.show({ kind: 'error', title: t('server.saveFailed'), error: reply.error });
      }
      setTried(false);
      part.set({ clientSecret: undefined, secrets: {} });
      const act = { words: t('server.signInNow'), run: () => startSignIn(shell, detail.status) };
      shell.show({
        kind: 'done',
        title: t('server.saved'),
        text: t('server.savedText'),
        ...(reply.value.state.kind === 'signing_in' ? {} : { act }),
      });
      onSaved();
    });

  const reset = () => {
    setForm(settingsForm(detail));
    setTried(false);
    setRefused(undefined);
  };
  return { form, part, change: settingsChange(detail, form), save, reset };
}

/** Runs after React has rendered. */
const soon = (then: () => void): void => void requestAnimationFrame(then);
