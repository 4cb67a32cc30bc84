import type { Command } from '@commander-js/extra-typings';
import { recordAdmin, recordForAll } from '../../../shared/backup/record-admin.ts';
import { resealVersions } from '../../../shared/backup/reseal-versions.ts';
import { rewrapDataKeys } from '../../../shared/backup/rewrap-data-keys.ts';
import { organizationId } from '../../../shared/contract/ids.ts';
import { localFailure, usageFailure } from '../../failure.ts';
import type { Host } from '../../tools.ts';
import { onAws, refuseWithoutStore } from './store.ts';

/** The life of keys: a new root key, data keys wrapped for it, an organization without any. Each says first what it would do. */
export function addKeyLife(admin: Command, host: Host): void {
  admin
    .command('rotate-root-key')
    .description('add a root key to the keyring; it wraps new data keys from the next start on')
    .option('--apply', 'do it')
    .action(async ({ apply }) => {
      refuseWithoutStore(host);
      const { services } = await import('#services');
      if (apply !== true) {
        host.terminal.done(`A root key would be added to ${services.keyringPath}. Repeat with --apply.`);
        return;
      }
      await recordForAll(services, 'rotate_root_key');
      services.addRootKey();
      host.terminal.done(
        'Added. Copy the keyring to where its backup is, restart the server, then: fm admin rewrap --apply',
      );
    });
  admin
    .command('rewrap')
    .description('wrap data keys of older root keys for the newest one; secrets stay as they are')
    .option('--apply', 'do it')
    .option('--json', 'print JSON')
    .action(async ({ apply, json }) => {
      refuseWithoutStore(host);
      const { services } = await import('#services');
      if (apply === true) await recordForAll(services, 'rewrap');
      const done = await rewrapDataKeys(services, apply === true);
      if (json === true) return host.terminal.printJson(done);
      const verb = apply === true ? 'were' : 'would be';
      const next =
        apply === true || done.rewrapped === 0 ? '' : ' Restart the server first, then repeat with --apply.';
      host.terminal.done(`${done.rewrapped} of ${done.data_keys} data keys ${verb} wrapped anew.${next}`);
    });
  addReseal(admin, host);
  admin
    .command('shred')
    .argument('<organization>')
    .description('remove an organization’s data keys and secrets for good; its audit log stays')
    .option('--apply <organization>', 'do it: the name once more')
    .action(async (name, { apply }) => {
      refuseWithoutStore(host);
      const org = organizationId.safeParse(name);
      if (!org.success) throw usageFailure(`ORGANIZATION ${org.error.issues[0]?.message ?? 'is not valid'}.`);
      const { services } = await import('#services');
      if ((await services.callers.findOrganization(org.data)) === null)
        throw localFailure(
          'no-organization',
          'There is no such organization',
          `${name} is not in this store.`,
        );
      if (apply !== name) {
        const keep = 'Backups that hold it still open: they are not touched.';
        host.terminal.done(
          `All secrets and keys of ${name} would be gone for good. ${keep} Repeat with --apply ${name}`,
        );
        return;
      }
      // Before: a crash in between leaves a record of what is done by the next try.
      await recordAdmin(services, org.data, 'shred');
      const keys = await services.archive.shred(org.data);
      host.terminal.done(
        `${keys} data keys of ${name} are gone, and all that they opened. Restart the server.`,
      );
    });
}

function addReseal(admin: Command, host: Host): void {
  admin
    .command('reseal')
    .description('seal versions anew under new data keys, those whose data key is older than a moment')
    .option('--before <time>', 'the moment, RFC 3339; now when absent')
    .option('--outputs <file>', 'on AWS: what cdk deploy --outputs-file wrote')
    .option('--apply', 'do it')
    .option('--json', 'print JSON')
    .action(async ({ before = new Date().toISOString(), outputs, apply, json }) => {
      if (outputs === undefined) refuseWithoutStore(host);
      const services = outputs === undefined ? (await import('#services')).services : await onAws(outputs);
      let sealed = 0;
      const onVersion = () => {
        sealed += 1;
        if (sealed % 100 === 0) host.terminal.progress(`${sealed} versions`);
      };
      const done = await resealVersions(services, { before, apply: apply === true, onVersion });
      if (json === true) return host.terminal.printJson({ before, ...done });
      const verb = apply === true ? 'were' : 'would be';
      const next = apply === true || done.resealed === 0 ? '' : ` Repeat with --before ${before} --apply`;
      host.terminal.done(`${done.resealed} of ${done.versions} versions ${verb} sealed anew.${next}`);
    });
}
