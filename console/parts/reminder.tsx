import { useSignal } from '@preact/signals';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { urgencyOf } from '../state/due.ts';
import { flagsOf } from '../state/secret.ts';
import { endWhenRefused, may } from '../state/session.ts';
import { day } from '../state/words.ts';
import { AckSecret, snooze } from '../writes/answer-reminder.tsx';
import { Command } from './command.tsx';

const because = {
  rotation_days: 'its own rotation_days',
  policy: 'a rotation policy of the organization',
  exported: 'it was taken out of the service',
  key_revoked: 'a key that could use it was revoked',
  rotation_failed: 'a rotation that failed: resume or abandon it',
} as const;

/** Why and whom a reminder goes to, whether somebody answered, and the command that ends it. */
export function ReminderOf(props: { readonly secret: SecretMetadata }) {
  const { secret } = props;
  if (secret.deleted_at !== null) return null;
  const { reminder } = secret;
  return (
    <section>
      <h3>Reminders</h3>
      {secret.next_rotation_at === null ? (
        <p class="soft">Nobody is reminded: it has no rotation period.</p>
      ) : (
        <p>
          Due {day(secret.next_rotation_at)}
          {reminder && ` by ${because[reminder.because]}; ${reminder.owner} is reminded`}.
        </p>
      )}
      {reminder?.quiet && (
        <p class="quieted">
          {reminder.quiet.kind === 'ack' ? 'Acknowledged' : 'Snoozed'} by {reminder.quiet.by} until{' '}
          {day(reminder.quiet.until)}
          {reminder.quiet.reason !== null && <q>{reminder.quiet.reason}</q>}
        </p>
      )}
      <Command text={`npx fm secrets rotate ${secret.name}${flagsOf(secret)}`} />
      <Answers secret={secret} />
    </section>
  );
}

/** The buttons that quiet a reminder, where there is one to quiet. */
export function Answers(props: { readonly secret: SecretMetadata }) {
  const { secret } = props;
  const isAcknowledging = useSignal(false);
  const problem = useSignal<string | null>(null);
  const urgency = urgencyOf(secret);
  if (!may('update') || urgency === 'none') return null;
  const quiet = (days: number) => {
    problem.value = null;
    snooze(secret, days).catch((error: unknown) => (problem.value = endWhenRefused(error)));
  };
  return (
    <span class="answers">
      {urgency === 'quiet' ? (
        <button type="button" onClick={() => quiet(0)}>
          Remind again
        </button>
      ) : (
        <>
          <button type="button" onClick={() => (isAcknowledging.value = true)}>
            Acknowledge…
          </button>
          <button type="button" onClick={() => quiet(7)}>
            Snooze 7 days
          </button>
        </>
      )}
      {problem.value !== null && (
        <span class="problem" role="alert">
          {problem.value}
        </span>
      )}
      {isAcknowledging.value && <AckSecret secret={secret} onClose={() => (isAcknowledging.value = false)} />}
    </span>
  );
}
