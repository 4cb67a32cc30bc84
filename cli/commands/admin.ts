import type { Command } from '@commander-js/extra-typings';
import { createOrganization } from '../../shared/callers/create-organization.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { usageFailure } from '../failure.ts';
import { printBlock } from '../print.ts';
import type { Host } from '../tools.ts';
import { addBackup } from './admin/backup.ts';
import { addKeyLife } from './admin/keys.ts';
import { refuseWithoutStore } from './admin/store.ts';

/** `fm admin …`: what is done where the store is, by whoever has the store itself. */
export function addAdmin(program: Command, host: Host): void {
  const admin = program.command('admin').description('what is done where the store is');
  const org = admin.command('org').description('organizations');
  org
    .command('create')
    .argument('<name>')
    .description('make an organization and print its first admin key, this once')
    .option('--json', 'print JSON')
    .action(async (name, options) => {
      const id = organizationId.safeParse(name);
      if (!id.success) throw usageFailure(`NAME ${id.error.issues[0]?.message ?? 'is not valid'}.`);
      refuseWithoutStore(host);
      // Loaded here alone: it opens the store, which no other command has.
      const { services } = await import('#services');
      await createOrganization(services, id.data, (api_key) => {
        if (options.json === true) return host.terminal.printJson({ org: id.data, api_key });
        printBlock(host.terminal, [
          ['org', id.data],
          ['api_key', api_key],
        ]);
        host.terminal.note('The key is shown this once: keep it where only its user can read it.');
      });
    });
  addBackup(admin, host);
  addKeyLife(admin, host);
}
