import type { Price } from './aws.ts';
import { type Figure, type Figures, median, shown } from './figures.ts';
import type { Goal } from './goals.ts';
import { AUDIT, LIST, RESOLVE, slope } from './growth.ts';

/** Where and when the bench ran. */
export interface Surroundings {
  readonly machine: string;
  readonly versions: readonly string[];
  readonly began: { readonly at: string; readonly load: string };
  readonly ended: { readonly at: string; readonly load: string };
  /** What was not measured, and why. */
  readonly missing: readonly string[];
}

/** The results as Markdown. */
export function resultsText(
  figures: Figures,
  prices: readonly Price[],
  goals: readonly Goal[],
  { machine, versions, began, ended, missing }: Surroundings,
): string {
  return `# Speed, measured

\`npm run bench\` wrote this page and [its chart](results.svg). Every figure is the median of what was measured, with
the least and the most; contenders took turns, in one run on one machine. Compare figures of this page with each
other, and with no other page's: the machine decides most of them.

- ${machine}
- ${versions.join('; ')}
- from ${began.at}, load average ${began.load}, to ${ended.at}, load average ${ended.load}
- Each store holds 10,000 secrets of 1 KB. Ours syncs the record of each access before it answers; OpenBao and Vault
  write to a file audit device, which they do not sync. Ours answers without its limit of requests for each
  credential (\`FM_RATE_LIMIT=0\`). The load comes from wrk, in a process of its own.
${missing.map((line) => `- **Not measured:** ${line}\n`).join('')}
## Goals

| goal | bound | found | |
|---|---|---|---|
${goals.map(goalRow).join('\n')}

![50 references, one reference, durable writes](results.svg)
${figures
  .works()
  .map((work) => workTable(figures, work))
  .join('')}
## How it grows

The exponent of each work, by the slope of its logarithm over that of the size: 0 when it does not grow, 1 when it
grows as the store does.

| work | exponent |
|---|---|
${[RESOLVE, LIST, AUDIT].map((work) => `| ${work} | ${shown(slope(figures, work))} |`).join('\n')}

## What a million resolves cost on AWS

Counted at the SDK's clients against an emulator, by an orchestrator's invocation for a run of a pipeline without a
user; dollars in us-east-1 without a free tier: 0.125 a million read units, 0.625 a million write units, Lambda of 256 MB
for 12 ms, 0.25 for logs. Secrets Manager: 0.05 for 10,000 reads; SSM advanced parameters: the same, and a KMS request
each where a customer's key seals them, which is not in the figure.

| references | requests of a resolve | read units | write units | ours | Secrets Manager | SSM |
|---|---|---|---|---|---|---|
${prices.map(priceRow).join('\n')}
`;
}

function goalRow({ text, found, isAtLeast, bound }: Goal): string {
  const limit = `${isAtLeast ? '≥' : '≤'} ${bound}`;
  if (found === null) return `| ${text} | ${limit} | – | nobody to compare with |`;
  const isReached = isAtLeast ? found >= bound : found <= bound;
  return `| ${text} | ${limit} | ${shown(found)} | ${isReached ? 'reached' : '**missed**'} |`;
}

function workTable(figures: Figures, work: string): string {
  const rows = figures.ofWork(work);
  const first = rows[0];
  return `
## ${work[0]?.toUpperCase()}${work.slice(1)}

| contender | | median | least – most | ÷ the first |
|---|---|---|---|---|
${rows.map((figure) => figureRow(figure, first?.contender, rows)).join('\n')}
`;
}

function figureRow(
  { contender, unit, values }: Figure,
  firstContender: string | undefined,
  rows: readonly Figure[],
): string {
  const reference = rows.find((row) => row.contender === firstContender && row.unit === unit);
  const ratio = reference === undefined ? '' : shown(median(values) / median(reference.values));
  const range = `${shown(Math.min(...values))} – ${shown(Math.max(...values))}`;
  return `| ${contender} | ${unit} | ${shown(median(values))} | ${range} | ${ratio} |`;
}

function priceRow(price: Price): string {
  const { size, requests, readUnits, writeUnits, dollars, secretsManager, parameterStore } = price;
  const money = (amount: number) => `$${amount.toFixed(2)}`;
  return `| ${size} | ${requests} | ${shown(readUnits)} | ${shown(writeUnits)} | ${money(dollars)} | ${money(secretsManager)} | ${money(parameterStore)} |`;
}
