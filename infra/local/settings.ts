import * as z from 'zod';
import { SecretsError } from '../../shared/contract/errors.ts';

const settings = z.object({
  FM_HOST: z.string().min(1).default('127.0.0.1'),
  FM_PORT: z.coerce.number().int().min(0).max(65_535).default(4310),
  FM_RATE_LIMIT: z.coerce.number().int().min(0).max(1_000_000).default(1000),
  FM_TLS_CERT: z.string().min(1).optional(),
  FM_TLS_KEY: z.string().min(1).optional(),
});

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  /** Requests a second for each credential; 0 for no limit. */
  readonly rateLimit: number;
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

/** Where to listen. @throws SecretsError `validation` when a variable is wrong, or when secrets would cross a network in the clear */
export function readSettings(env: Readonly<Record<string, string | undefined>>): ServerSettings {
  const parsed = settings.safeParse(env);
  if (!parsed.success) {
    const names = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new SecretsError('validation', names.join('; '));
  }
  const {
    FM_HOST: host,
    FM_PORT: port,
    FM_TLS_CERT: cert,
    FM_TLS_KEY: key,
    FM_RATE_LIMIT: rateLimit,
  } = parsed.data;
  if ((cert === undefined) !== (key === undefined)) {
    throw new SecretsError('validation', 'FM_TLS_CERT and FM_TLS_KEY must be set together.');
  }
  const tls = cert === undefined || key === undefined ? null : { cert, key };
  if (tls === null && !isLoopback(host)) {
    throw new SecretsError(
      'validation',
      `FM_HOST ${host} is not loopback: secrets would cross the network in the clear. Set FM_TLS_CERT and FM_TLS_KEY.`,
    );
  }
  return { host, port, rateLimit, tls };
}

/** Names are refused but for localhost: what they resolve to can change. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
