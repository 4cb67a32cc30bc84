import * as z from 'zod';
import type { OrganizationId } from '../contract/ids.ts';
import { lengthPrefixed } from '../envelope/bytes.ts';
import type { DataKeys } from '../envelope/data-keys.ts';
import { decryptionFailed, open, seal } from '../envelope/envelope.ts';
import type { Recipient } from './reminder-store.ts';

const recipientSecret = z.strictObject({ url: z.string(), signing_key: z.string() });
/** What of a webhook is a secret: whoever has its URL can post there. */
export type RecipientSecret = Readonly<z.infer<typeof recipientSecret>>;

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
  using key = await dataKeys.forSealing(org, null, false);
  const bytes = seal(key.secret, contextOf(org, id, key.id), Buffer.from(JSON.stringify(secret)));
  return { data_key: key.id, bytes: bytes.toString('base64') };
}

/** Opens a webhook's secret. @throws SecretsError `decryption_failed`, `unavailable` */
export async function openRecipient(
  { dataKeys }: Needs,
  { org, id, sealed }: Recipient,
): Promise<RecipientSecret> {
  if (sealed === null) throw decryptionFailed();
  using keys = await dataKeys.forOpening(org, [{ id: sealed.data_key, environment: null, dedicated: false }]);
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
