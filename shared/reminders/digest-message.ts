import type { OrganizationId } from '../contract/ids.ts';
import { byUrgency, type DigestEntry, inDays } from './digest-entry.ts';
import type { Message } from './notifier.ts';

const COLUMNS = ['Secret', 'State', 'Serves', 'Owner'] as const;

/** A digest as a mail: text and HTML say the same, in the same order. */
export function digestMessage(
  id: string,
  org: OrganizationId,
  owner: string | null,
  entries: readonly DigestEntry[],
): Message {
  const sorted = byUrgency(entries);
  const subject = `${subjectOf(sorted)}: secrets of ${org}`;
  const intro =
    owner === null
      ? `These secrets of ${org} are overdue for weeks. You get this as an admin.`
      : `These secrets of ${org} are to be rotated. Their owner is ${owner}.`;
  return { id, subject, text: toText(intro, sorted), html: toHtml(subject, intro, sorted) };
}

/** How many, and how late: `1 rotation failed, 2 overdue by up to 9 days, 1 due today, 3 due in 7 days`. */
export function subjectOf(entries: readonly DigestEntry[]): string {
  const failed = entries.filter((entry) => entry.failed);
  const others = entries.filter((entry) => !entry.failed);
  const late = others.filter(({ kind }) => kind === 'overdue' || kind === 'escalated');
  const today = others.filter(({ kind }) => kind === 'due');
  const ahead = others.filter(({ kind }) => kind === 'upcoming');
  const latest = Math.max(...late.map(({ lateness }) => lateness));
  const furthest = Math.max(...ahead.map(({ lateness }) => Math.max(1, -lateness)));
  const parts = [
    ...(failed.length === 0
      ? []
      : [failed.length === 1 ? '1 rotation failed' : `${failed.length} rotations failed`]),
    ...(late.length === 0
      ? []
      : [`${late.length} overdue by ${late.length === 1 ? '' : 'up to '}${inDays(latest)}`]),
    ...(today.length === 0 ? [] : [`${today.length} due today`]),
    ...(ahead.length === 0 ? [] : [`${ahead.length} due in ${inDays(furthest)}`]),
  ];
  return parts.join(', ');
}

const OUTRO = [
  'The command asks for the new value. Whoever cannot rotate one now can say so:',
  'fm secrets ack NAME --reason WHY --until DATE',
];

function cellsOf(entry: DigestEntry): string[] {
  return [entry.name, entry.state, entry.place, entry.owner];
}

/** What stands below a secret's cells, each on a line of its own. */
function notesOf({ rotated, why, command, link }: DigestEntry) {
  return { since: `Last set ${rotated}; the date is from ${why}.`, command, link };
}

function toText(intro: string, entries: readonly DigestEntry[]): string {
  const blocks = entries.map((entry) => {
    const lines = cellsOf(entry).map((cell, at) => `${COLUMNS[at]}: ${cell}`);
    const { since, command, link } = notesOf(entry);
    return [...lines, since, command, ...(link === null ? [] : [link])].join('\n');
  });
  return `${[intro, ...blocks, OUTRO.join('\n')].join('\n\n')}\n`;
}

const FONT = 'font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:20px;color:#1a1a1a';
const CELL = 'padding:8px;vertical-align:top;border-top:1px solid #c8c8c8;word-break:break-word';
const BELOW = 'padding:0 8px 8px 8px;word-break:break-word';
const CODE = 'font-family:Menlo,Consolas,monospace;background-color:#f2f2f2';
const COLOURS = { upcoming: '#1a1a1a', due: '#8a4b00', overdue: '#a40000', escalated: '#a40000' } as const;

// Styles stand in the elements: several mail programs drop everything else. Without them it is a plain table.
function toHtml(subject: string, intro: string, entries: readonly DigestEntry[]): string {
  const head = COLUMNS.map((title) => `<th scope="col" align="left" style="padding:8px">${title}</th>`);
  return [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(subject)}</title>`,
    '</head>',
    '<body style="margin:0;padding:16px;background-color:#ffffff">',
    `<p style="${FONT}">${escapeHtml(intro)}</p>`,
    `<table cellpadding="0" cellspacing="0" style="border-collapse:collapse;width:100%;text-align:left;${FONT}">`,
    `<thead><tr>${head.join('')}</tr></thead>`,
    '<tbody>',
    ...entries.map(rowsOf),
    '</tbody>',
    '</table>',
    `<p style="${FONT}">${escapeHtml(OUTRO[0] ?? '')}<br><code style="${CODE}">${escapeHtml(OUTRO[1] ?? '')}</code></p>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** A secret's row, and one across all columns: a command is long, and would squeeze the others. */
function rowsOf(entry: DigestEntry): string {
  const [name = '', state = '', ...others] = cellsOf(entry).map(escapeHtml);
  const cells = [
    `<th scope="row" align="left" style="${CELL}">${name}</th>`,
    `<td style="${CELL};color:${COLOURS[entry.kind]};font-weight:bold">${state}</td>`,
    ...others.map((cell) => `<td style="${CELL}">${cell}</td>`),
  ];
  const { since, command, link } = notesOf(entry);
  const lines = [
    escapeHtml(since),
    `<code style="${CODE}">${escapeHtml(command)}</code>`,
    ...(link === null ? [] : [`<a href="${escapeHtml(link)}" style="color:#0b57d0">${escapeHtml(link)}</a>`]),
  ];
  const below = `<td colspan="${COLUMNS.length}" style="${BELOW}">${lines.join('<br>')}</td>`;
  return `<tr>${cells.join('')}</tr>\n<tr>${below}</tr>`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? '');
}
