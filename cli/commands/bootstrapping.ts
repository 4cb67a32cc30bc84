import { readFileSync } from 'node:fs';
import type { Command } from '@commander-js/extra-typings';
import * as z from 'zod';
import { createOrganization } from '../../shared/callers/create-organization.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { localFailure, usageFailure } from '../failure.ts';
import { printBlock } from '../print.ts';
import type { Host } from '../tools.ts';

/** What the storage stack says of itself; other stacks say other things. */
const storageOutputs = z.object({
  TableName: z.string(),
  DataKeyArn: z.string(),
  RecoveryKeyArn: z.string(),
  SigningKeyArn: z.string(),
  MacKeyArn: z.string(),
  CheckpointBucket: z.string(),
});

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

/** The store's own settings, as the functions have them. @throws Failure when the file does not tell them */
function storageOf(file: string): Record<string, string> {
  const stacks = z.record(z.string(), z.record(z.string(), z.string())).safeParse(readJson(file));
  const found = Object.values(stacks.data ?? {}).flatMap(
    (stack) => storageOutputs.safeParse(stack).data ?? [],
  );
  const [storage, another] = found;
  if (storage === undefined || another !== undefined)
    throw localFailure('no-store', 'There is no store', `${file} must name one storage stack.`, {
      next: ['npx cdk deploy --all --outputs-file cdk-outputs.json'],
    });
  return {
    FM_TABLE: storage.TableName,
    FM_DATA_KEY_ID: storage.DataKeyArn,
    FM_RECOVERY_KEY_ID: storage.RecoveryKeyArn,
    FM_SIGNING_KEY_ID: storage.SigningKeyArn,
    FM_MAC_KEY_ID: storage.MacKeyArn,
    FM_CHECKPOINT_BUCKET: storage.CheckpointBucket,
  };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
