import * as z from 'zod';

const { FM_TEST_GUARDED_MINISTACK, NODE_EXTRA_CA_CERTS } = z
  .object({ FM_TEST_GUARDED_MINISTACK: z.url(), NODE_EXTRA_CA_CERTS: z.string() })
  .parse(process.env);

/** It does nothing for whom IAM does not let, and speaks TLS under a certificate of its own. */
export const guardedMinistack = { endpoint: FM_TEST_GUARDED_MINISTACK, certificate: NODE_EXTRA_CA_CERTS };
