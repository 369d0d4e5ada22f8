import type { Clock } from '../../base/clock.ts';
import { presetFor } from '../providers/presets.ts';
import type { Registration, Server } from '../../servers/server.ts';

const dayMs = 24 * 60 * 60 * 1000;

/**
 * When a registration expires, Unix ms: as its server said, else as the preset says. Undefined: not known to expire.
 */
export function endOfRegistration(registration: Registration, server: Pick<Server, 'settings'>): number | undefined {
  const days = presetFor(registration.issuer, server.settings.preset)?.registrationDays;
  return (
    registration.endsAt ??
    registration.secretExpiresAt ??
    (days === undefined ? undefined : (registration.renewedAt ?? registration.registeredAt) + days * dayMs)
  );
}

/** Past half of its lifetime and not expired: an expired registration cannot be renewed. */
export function isRenewalDue(
  registration: Registration,
  server: Pick<Server, 'settings'>,
  clock: Pick<Clock, 'now'>,
): boolean {
  const end = endOfRegistration(registration, server);
  const from = registration.renewedAt ?? registration.registeredAt;
  return (
    registration.how === 'dynamic' &&
    registration.registration_client_uri !== undefined &&
    end !== undefined &&
    clock.now() < end &&
    clock.now() >= from + (end - from) / 2
  );
}
