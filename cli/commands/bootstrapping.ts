import type { Command } from '@commander-js/extra-typings';
import { createOrganization } from '../../shared/callers/create-organization.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { storageOf } from '../aws-outputs.ts';
import { usageFailure } from '../failure.ts';
import { printBlock } from '../print.ts';
import type { Host } from '../tools.ts';

/** `fm bootstrap`: an organization on AWS and its first admin key, made by whoever IAM lets at the table and its keys. */
export function addBootstrapping(program: Command, host: Host): void {
  program
    .command('bootstrap')
    .argument('[name]', 'the organization', 'default')
    .description('make an organization on AWS and print its first admin key, this once')
    .requiredOption('--outputs <file>', 'what cdk deploy --outputs-file wrote')
    .option('--json', 'print JSON')
    .action(async (name, { outputs, json }) => {
      const id = organizationId.safeParse(name);
      if (!id.success) throw usageFailure(`NAME ${id.error.issues[0]?.message ?? 'is not valid'}.`);
      const env = storageOf(outputs);
      // Loaded here alone: no other command needs the AWS SDK's clients of the store.
      const { openServices } = await import('../../shared/aws/open-services.ts');
      await createOrganization(openServices(env), id.data, (api_key) => {
        if (json === true) return host.terminal.printJson({ org: id.data, api_key });
        printBlock(host.terminal, [
          ['org', id.data],
          ['api_key', api_key],
        ]);
        host.terminal.note('The key is shown this once: keep it where only its user can read it.');
      });
    });
}
