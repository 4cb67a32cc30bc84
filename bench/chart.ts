import { type Figures, median, shown } from './figures.ts';

interface Panel {
  readonly title: string;
  readonly work: string;
  readonly unit: string;
}

const WIDTH = 760;
const LABEL = 290;
const BAR = 18;
const GAP = 6;
const HEAD = 40;

/** Bars of some works, one panel below the other, each scaled to its largest. */
export function chartOf(figures: Figures, panels: readonly Panel[]): string {
  let y = 10;
  const parts: string[] = [];
  for (const { title, work, unit } of panels) {
    const rows = figures.ofWork(work).filter((figure) => figure.unit === unit);
    if (rows.length === 0) continue;
    const largest = Math.max(...rows.map(({ values }) => median(values)));
    parts.push(`<text x="10" y="${y + 20}" class="title">${escaped(title)}</text>`);
    y += HEAD;
    for (const { contender, values } of rows) {
      const value = median(values);
      const width = Math.max(1, (value / largest) * (WIDTH - LABEL - 110));
      const colour = contender.startsWith('FlowMason Secrets') ? 'ours' : 'theirs';
      parts.push(
        `<text x="${LABEL - 8}" y="${y + 13}" text-anchor="end">${escaped(contender)}</text>`,
        `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" class="${colour}"/>`,
        `<text x="${LABEL + width + 6}" y="${y + 13}">${shown(value)} ${escaped(unit)}</text>`,
      );
      y += BAR + GAP;
    }
    y += 14;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img">
<title>Speed beside what a user would pick instead</title>
<style>
  svg { background: #fff; font: 12px system-ui, sans-serif; fill: #222 }
  .title { font-weight: 600; font-size: 14px }
  .ours { fill: #1f6feb }
  .theirs { fill: #b6bec9 }
</style>
${parts.join('\n')}
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
