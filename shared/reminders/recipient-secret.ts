import * as z from 'zod';
import type { EnvironmentName, OrganizationId } from '../contract/ids.ts';
import { lengthPrefixed } from '../envelope/bytes.ts';
import type { DataKeys } from '../envelope/data-keys.ts';
import { decryptionFailed, open, seal } from '../envelope/envelope.ts';
import type { Recipient } from './reminder-store.ts';

const recipientSecret = z.strictObject({ url: z.string(), signing_key: z.string() });
/** What of a webhook is a secret: whoever has its URL can post there. */
export type RecipientSecret = Readonly<z.infer<typeof recipientSecret>>;

/**
 * In the place of an environment's name, which nobody can give to one: what seals webhooks seals no secret. On AWS
 * the function that posts to webhooks may unwrap data keys of this place alone (docs/adr/0023).
 */
export const RECIPIENTS = '#recipients' as EnvironmentName;

interface Needs {
  readonly dataKeys: DataKeys;
}

/** Seals a webhook's secret under a data key of the organization. @throws SecretsError `unavailable` */
export async function sealRecipient(
  { dataKeys }: Needs,
  org: OrganizationId,
  id: string,
  secret: RecipientSecret,
): Promise<NonNullable<Recipient['sealed']>> {
  using key = await dataKeys.forSealing(org, RECIPIENTS, false);
  const bytes = seal(key.secret, contextOf(org, id, key.id), Buffer.from(JSON.stringify(secret)));
  return { data_key: key.id, bytes: bytes.toString('base64') };
}

/** Opens a webhook's secret. @throws SecretsError `decryption_failed`, `unavailable` */
export async function openRecipient(
  { dataKeys }: Needs,
  { org, id, sealed }: Recipient,
): Promise<RecipientSecret> {
  if (sealed === null) throw decryptionFailed();
  const name = { id: sealed.data_key, environment: RECIPIENTS, dedicated: false };
  using keys = await dataKeys.forOpening(org, [name]);
  const key = keys.get(sealed.data_key);
  const opened = open(key.secret, contextOf(org, id, key.id), Buffer.from(sealed.bytes, 'base64'));
  try {
    return recipientSecret.parse(JSON.parse(opened.toString()));
  } catch {
    throw decryptionFailed();
  } finally {
    opened.fill(0);
  }
}

function contextOf(org: OrganizationId, id: string, dataKey: string): Buffer {
  return lengthPrefixed(['flowmason/recipient/v1', org, id, dataKey]);
}
