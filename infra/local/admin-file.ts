import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { createOrganization } from '../../shared/callers/create-organization.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { writePrivateFile } from '../../shared/embedded/files.ts';
import type { EmbeddedServices } from '../../shared/embedded/services.ts';

const adminFile = z.object({ api_url: z.string(), api_key: z.string(), org: z.string() });
type AdminFile = z.infer<typeof adminFile>;

/**
 * On the first start of a data dir: makes the organization `default` and its admin key, prints the key once,
 * and leaves `admin.json` for `fm` on this machine. Later: keeps the address in it true.
 */
export async function keepAdminFile(services: EmbeddedServices, apiUrl: string): Promise<void> {
  const path = join(services.dataDir, 'admin.json');
  const isFirst = services.database.get('SELECT 1 FROM organizations LIMIT 1') === undefined;
  if (!isFirst) {
    const kept = existsSync(path)
      ? adminFile.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data
      : undefined;
    if (kept !== undefined && kept.api_url !== apiUrl) write(path, { ...kept, api_url: apiUrl });
    return;
  }
  const org = organizationId.parse('default');
  await createOrganization(services, org, (apiKey) => {
    write(path, { api_url: apiUrl, api_key: apiKey, org });
    process.stdout.write(
      `Organization ${org} was made. Its admin API key, shown this once and kept in ${path}:\n\n  ${apiKey}\n\n`,
    );
  });
}

function write(path: string, content: AdminFile): void {
  writePrivateFile(path, `${JSON.stringify(content, null, 2)}\n`);
}
