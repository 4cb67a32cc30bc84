import type * as z from 'zod';
import type { health } from '../contract/system.ts';
import { VERSION } from '../contract/version.ts';

/** Whether the service can serve, and how far the audit log is behind. @throws SecretsError `unavailable` */
export async function describeHealth(needs: {
  auditLag: () => Promise<number>;
}): Promise<z.infer<typeof health>> {
  return { status: 'ok', version: VERSION, audit_lag: await needs.auditLag() };
}
