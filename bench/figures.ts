/** What was measured of one contender at one work, once per round. */
export interface Figure {
  readonly work: string;
  readonly contender: string;
  readonly unit: string;
  readonly values: number[];
}

/** Everything that was measured, in the order of the first round. */
export class Figures {
  readonly #all: Figure[] = [];

  add(work: string, contender: string, unit: string, value: number): void {
    const known = this.#all.find(
      (figure) => figure.work === work && figure.contender === contender && figure.unit === unit,
    );
    if (known === undefined) this.#all.push({ work, contender, unit, values: [value] });
    else known.values.push(value);
    process.stderr.write(`  ${work} · ${contender}: ${shown(value)} ${unit}\n`);
  }

  ofWork(work: string): readonly Figure[] {
    return this.#all.filter((figure) => figure.work === work);
  }

  works(): string[] {
    return [...new Set(this.#all.map(({ work }) => work))];
  }

  /** The median of what was measured; null when nothing was. */
  median(work: string, contender: string, unit: string): number | null {
    const figure = this.ofWork(work).find((one) => one.contender === contender && one.unit === unit);
    return figure === undefined ? null : median(figure.values);
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Three significant digits, and whole numbers from 100 on. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
