import { describe } from 'vitest';
import { archiveTargetSuite } from '../conformance/archive-target.ts';
import { auditLogSuite } from '../conformance/audit-log.ts';
import { callerStoreSuite } from '../conformance/caller-store.ts';
import { makeEmbedded } from '../conformance/embedded-host.ts';
import { historySuite } from '../conformance/history.ts';
import { reminderStoreSuite } from '../conformance/reminder-store.ts';
import { secretReadsSuite } from '../conformance/secret-reads.ts';
import { secretWritesSuite } from '../conformance/secret-writes.ts';
import { smallStoresSuite } from '../conformance/small-stores.ts';
import { dynamoHost } from './dynamo-host.ts';
import { dynamodbLocal, ministack } from './emulators.ts';

// Both, since one emulator's faults are not AWS's.
const hosts = { 'DynamoDB Local': dynamodbLocal, MiniStack: ministack };

for (const [name, endpoint] of Object.entries(hosts)) {
  describe(name, () => {
    const make = dynamoHost(endpoint);
    secretWritesSuite(make);
    secretReadsSuite(make);
    callerStoreSuite(make);
    smallStoresSuite(make);
    auditLogSuite(make);
    archiveTargetSuite(make);
    reminderStoreSuite(make);
    historySuite(makeEmbedded, make, [1, 2, 3, 4]);
  });
}
