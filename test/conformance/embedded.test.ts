import { throwawayKeyring } from '../testkit/key-service.ts';
import { auditLogSuite } from './audit-log.ts';
import { callerStoreSuite } from './caller-store.ts';
import { makeEmbedded } from './embedded-host.ts';
import { historySuite } from './history.ts';
import { keyServiceSuite } from './key-service.ts';
import { secretReadsSuite } from './secret-reads.ts';
import { secretWritesSuite } from './secret-writes.ts';
import { smallStoresSuite } from './small-stores.ts';

secretWritesSuite(makeEmbedded);
secretReadsSuite(makeEmbedded);
callerStoreSuite(makeEmbedded);
smallStoresSuite(makeEmbedded);
auditLogSuite(makeEmbedded);
historySuite(makeEmbedded, makeEmbedded, [1, 2]);
keyServiceSuite(async () => ({ keys: throwawayKeyring(), otherKeys: throwawayKeyring() }));
