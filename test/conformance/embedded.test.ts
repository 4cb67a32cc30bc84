import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll } from 'vitest';
import { recoveryBy } from '../../shared/backup/recovery.ts';
import { CheckpointFolder } from '../../shared/embedded/checkpoint-store.ts';
import { RecoveryRecipient } from '../../shared/embedded/recovery-recipient.ts';
import { throwawayKeyring } from '../testkit/key-service.ts';
import { archiveTargetSuite } from './archive-target.ts';
import { auditLogSuite } from './audit-log.ts';
import { callerStoreSuite } from './caller-store.ts';
import { checkpointStoreSuite } from './checkpoint-store.ts';
import { makeEmbedded } from './embedded-host.ts';
import { historySuite } from './history.ts';
import { keyServiceSuite } from './key-service.ts';
import { reminderStoreSuite } from './reminder-store.ts';
import { secretReadsSuite } from './secret-reads.ts';
import { secretWritesSuite } from './secret-writes.ts';
import { smallStoresSuite } from './small-stores.ts';

secretWritesSuite(makeEmbedded);
secretReadsSuite(makeEmbedded);
callerStoreSuite(makeEmbedded);
smallStoresSuite(makeEmbedded);
auditLogSuite(makeEmbedded);
archiveTargetSuite(makeEmbedded);
reminderStoreSuite(makeEmbedded);
historySuite(makeEmbedded, makeEmbedded, [1, 2]);
keyServiceSuite(async () => {
  const identity = await generateIdentity();
  const recipient = new RecoveryRecipient(await identityToRecipient(identity));
  return {
    keys: throwawayKeyring(recipient),
    otherKeys: throwawayKeyring(),
    openRecovery: recoveryBy(identity),
  };
});

const folder = mkdtempSync(join(tmpdir(), 'fm-checkpoints-'));
afterAll(() => rmSync(folder, { recursive: true }));
checkpointStoreSuite(async () => new CheckpointFolder(mkdtempSync(join(folder, 'store-'))));
