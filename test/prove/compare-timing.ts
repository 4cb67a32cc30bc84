import { generateApiKey, hashApiKey, matchesHash } from '../../shared/access/api-key.ts';

/**
 * Whether comparing a key tells by its time how much of it was right. Two classes are measured in one random
 * order, keys made alike and used once each: wrong at their first character, and wrong at their last. Welch's t of
 * the two, after the slowest tenth is left out; above 4.5 a difference counts as real (dudect's bound). A comparison
 * that stops at the first difference is measured too, and has to be found.
 */
const ROUNDS = 200_000;
const BOUND = 4.5;

interface Sample {
  readonly early: boolean;
  readonly key: string;
}

/** Another character of the same alphabet. Through bytes, so that no class of strings is a rope to be joined first. */
function altered(key: string, at: number): string {
  const bytes = Buffer.from(key);
  bytes.write(key[at] === 'a' ? 'b' : 'a', at);
  return bytes.toString('latin1');
}

type Compare = (key: string, kept: string, presented: string) => boolean;

const ours: Compare = (key, _kept, presented) => matchesHash(key, presented);

const stopping: Compare = (_key, kept, presented) => {
  for (let at = 0; at < kept.length; at++) if (kept[at] !== presented[at]) return false;
  return true;
};

function measure(compare: Compare): number {
  const { key } = generateApiKey();
  const kept = hashApiKey(key);
  // The hash is what is compared: a wrong key whose hash begins as the right one's cannot be made, so the compared
  // bytes are altered instead, at their first and at their last byte.
  const samples: Sample[] = Array.from({ length: ROUNDS }, () => {
    const early = Math.random() < 0.5;
    return { early, key: altered(kept, early ? 0 : kept.length - 1) };
  });
  const times: { early: boolean; ns: number }[] = [];
  for (const { early, key: hash } of samples) {
    const begun = process.hrtime.bigint();
    compare(key, kept, hash);
    times.push({ early, ns: Number(process.hrtime.bigint() - begun) });
  }
  const limit = times.map(({ ns }) => ns).sort((a, b) => a - b)[Math.floor(ROUNDS * 0.9)] ?? 0;
  const of = (wanted: boolean) =>
    times.filter(({ early, ns }) => early === wanted && ns < limit).map(({ ns }) => ns);
  return welch(of(true), of(false));
}

function welch(a: readonly number[], b: readonly number[]): number {
  const mean = (xs: readonly number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
  const spread = (xs: readonly number[], middle: number) =>
    xs.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (xs.length - 1) / xs.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  process.stdout.write(`wrong at once: ${meanA.toFixed(1)} ns, wrong at last: ${meanB.toFixed(1)} ns\n`);
  return (meanA - meanB) / Math.sqrt(spread(a, meanA) + spread(b, meanB));
}

for (const compare of [ours, stopping]) measure(compare); // compiled by the time it counts
const t = measure(ours);
const control = measure(stopping);
process.stdout.write(
  `ours: t = ${t.toFixed(2)}; one that stops early: t = ${control.toFixed(2)}; real above ${BOUND}\n`,
);
process.exitCode = Math.abs(t) > BOUND || Math.abs(control) < BOUND ? 1 : 0;
