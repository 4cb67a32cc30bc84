import { createDecipheriv, createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { localFailure, usageFailure } from '../failure.ts';
import { entryOf, type Source } from './source.ts';

/**
 * The store of the `flowmason` package's studio: for each secret a file of Fernet (AES-128-CBC and HMAC-SHA-256)
 * and one of JSON that describes it, under a key that is derived from FLOWMASON_SECRETS_KEY and the organization.
 */
export const studio: Source = async ({ environment, workingDirectory }, from, { org }) => {
  if (org === undefined) throw usageFailure('Say of which organization of the studio: --studio-org NAME.');
  const folder =
    from === undefined
      ? path.join(homedir(), '.flowmason/secrets', sha256(org).toString('hex').slice(0, 16))
      : path.resolve(workingDirectory, from);
  const files = listOf(folder);
  const key = keyOf(org, environment.FLOWMASON_SECRETS_KEY);
  return files.map((file) => {
    const { name, description, category, expires_at } = described(path.join(folder, `${file}.meta`));
    const token = readFileSync(path.join(folder, `${file}.secret`), 'utf8');
    const metadata = { category, ...(expires_at === null ? {} : { expires_at }) };
    const days = rotationDays(path.join(folder, 'policies', `${file}.policy`));
    return entryOf(name, open(key, token, name), {
      description: description || undefined,
      metadata,
      rotation_days: days,
    });
  });
};

function listOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.secret'))
      .map((file) => file.slice(0, -'.secret'.length))
      .sort();
  } catch {
    throw usageFailure(`${folder} is no store of the studio: it cannot be read.`);
  }
}

const meta = z.object({
  name: z.string(),
  description: z.string().catch(''),
  category: z.string().catch('other'),
  expires_at: z.string().nullable().catch(null),
});

function described(file: string): z.infer<typeof meta> {
  try {
    return meta.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw usageFailure(`${file} does not describe a secret.`);
  }
}

const policy = z.object({ rotation_interval_days: z.int().min(1).max(3650) });

function rotationDays(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return policy.parse(JSON.parse(readFileSync(file, 'utf8'))).rotation_interval_days;
  } catch {
    return undefined;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** As the studio derives it; without a master key it takes one that anybody can make of the organization's name. */
function keyOf(org: string, masterKey: string | undefined): Buffer {
  const master = masterKey ?? sha256(`flowmason-default-key-${org}`).toString('hex').slice(0, 32);
  return pbkdf2Sync(master, sha256(org), 100_000, 32, 'sha256');
}

const VERSION = 0x80;
const HEADER_BYTES = 9;
const IV_BYTES = 16;
const MAC_BYTES = 32;

function open(key: Buffer, token: string, name: string): string {
  const bytes = Buffer.from(token, 'base64url');
  const signed = bytes.subarray(0, -MAC_BYTES);
  const mac = createHmac('sha256', key.subarray(0, 16)).update(signed).digest();
  const isWhole = bytes.length > HEADER_BYTES + IV_BYTES + MAC_BYTES && bytes[0] === VERSION;
  if (!isWhole || !timingSafeEqual(mac, bytes.subarray(-MAC_BYTES))) {
    throw localFailure(
      'not-opened',
      'A secret of the studio could not be opened',
      `${name} needs another key.`,
      {
        next: [
          'Set FLOWMASON_SECRETS_KEY as it is where the studio runs, and --studio-org to its organization.',
        ],
      },
    );
  }
  const iv = signed.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
  const cipher = createDecipheriv('aes-128-cbc', key.subarray(16), iv);
  return Buffer.concat([cipher.update(signed.subarray(HEADER_BYTES + IV_BYTES)), cipher.final()]).toString(
    'utf8',
  );
}
