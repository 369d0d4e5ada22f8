import type { Clock } from '../../base/clock.ts';
import { asAppError } from '../../base/errors.ts';
import type { Servers } from '../../servers/servers.ts';
import { isRenewalDue } from './registration-expiry.ts';
import { renewRegistration, type RenewDeps } from './renew-registration.ts';

export interface RegistrationRenewalDeps extends Omit<RenewDeps, 'clock' | 'servers' | 'isStopped'> {
  readonly servers: Pick<Servers, 'list' | 'find' | 'updateAccount'>;
  readonly clock: Clock;
}

/** Renews registrations before they expire: an expired one forces a user to sign in again. */
export interface RegistrationRenewal {
  /** Checks now, and then every six hours. */
  start(): void;
  /** Checks all registrations once. Never throws. */
  check(): Promise<void>;
  stop(): void;
}

const checkEveryMs = 6 * 60 * 60 * 1000;

export function createRegistrationRenewal(deps: RegistrationRenewalDeps): RegistrationRenewal {
  const { servers, clock, log } = deps;
  let cancel = (): void => {};
  let stopped = false;
  const renewDeps = { ...deps, isStopped: () => stopped };

  async function check(): Promise<void> {
    for (const server of servers.list()) {
      for (const registration of server.registrations) {
        if (stopped || !isRenewalDue(registration, server, clock)) continue;
        await renewRegistration(renewDeps, server, registration).catch((error: unknown) =>
          log('registration_not_renewed', { server: server.name, code: asAppError(error).code }),
        );
      }
    }
  }

  function checkThenSchedule(): void {
    void check().finally(() => {
      if (!stopped) cancel = clock.after(checkEveryMs, checkThenSchedule);
    });
  }

  return {
    check,
    start: checkThenSchedule,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
