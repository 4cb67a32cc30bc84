import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { localFailure } from './failure.ts';

/** What the storage stack says of itself; other stacks say other things. */
const storageOutputs = z.object({
  TableName: z.string(),
  DataKeyArn: z.string(),
  RecoveryKeyArn: z.string(),
  SigningKeyArn: z.string(),
  MacKeyArn: z.string(),
  CheckpointBucket: z.string(),
});

/** The store's own settings, as the functions have them. @throws Failure when the file does not tell them */
export function storageOf(file: string): Record<string, string> {
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
