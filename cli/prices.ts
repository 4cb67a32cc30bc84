/**
 * What AWS takes, in US dollars, at the list prices of us-east-1 in November 2026, without the free tier and without
 * what is the same for everybody: data transfer and taxes.
 */

const PER_MONTH = {
  /** Wrapping, signing, fingerprints, the table, and the recovery. */
  kmsKeys: 5 * 1.0,
  alarms: 10 * 0.1,
};

const PER_MILLION_REQUESTS = {
  gateway: 1.0,
  /** The function and the authorizer before it: 0.20 each, and 512 MB for 50 ms each at 0.0000166667 a GB-second. */
  functions: 2 * (0.2 + 0.5 * 0.05 * 16.6667),
  /** Six reads at 0.125 and six writes at 0.625 a million: credential, rows; record, chain and its index. */
  table: 6 * 0.125 + 6 * 0.625,
  /** A warm data key serves many; a tenth of the requests ask KMS, at 0.03 for ten thousand. */
  kms: 0.1 * 3.0,
};

const sum = (prices: Readonly<Record<string, number>>) => Object.values(prices).reduce((a, b) => a + b, 0);

/** What a deployment on AWS costs a month, in dollars. @param requests those of a month */
export function monthlyDollars(requests: number): number {
  return sum(PER_MONTH) + (requests / 1_000_000) * sum(PER_MILLION_REQUESTS);
}
