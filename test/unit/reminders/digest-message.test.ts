import { describe, expect, test } from 'vitest';
import { organizationId } from '../../../shared/contract/ids.ts';
import type { DigestEntry } from '../../../shared/reminders/digest-entry.ts';
import { digestMessage, subjectOf } from '../../../shared/reminders/digest-message.ts';
import { htmlTexts, lintHtmlMail } from '../../testkit/html-mail.ts';

const acme = organizationId.parse('acme');

function entryOf(kind: DigestEntry['kind'], lateness: number, more: Partial<DigestEntry> = {}): DigestEntry {
  return {
    ...{ kind, lateness, name: 'db', state: 'due today', place: 'production', owner: 'ada@example.com' },
    ...{ rotated: '2026-01-31', why: 'its own rotation period', command: 'fm secrets rotate db', link: null },
    failed: false,
    ...more,
  };
}

describe('the subject says how many, and how late', () => {
  const [late1, late9] = [entryOf('overdue', 1), entryOf('overdue', 9)];
  const [today, in7, in1] = [entryOf('due', 0), entryOf('upcoming', -7), entryOf('upcoming', -1)];
  test.each([
    [[late9, late1, in7, in7, in1], '2 overdue by up to 9 days, 3 due in 7 days'],
    [[late1], '1 overdue by 1 day'],
    [[today, today], '2 due today'],
    [[in1], '1 due in 1 day'],
    [[entryOf('due', 0, { failed: true })], '1 rotation failed'],
    [
      [entryOf('overdue', 3, { failed: true }), entryOf('due', 0, { failed: true }), late1],
      '2 rotations failed, 1 overdue by 1 day',
    ],
    [[entryOf('upcoming', 0)], '1 due in 1 day'],
    [
      [entryOf('escalated', 40), late1, today, in7],
      '2 overdue by up to 40 days, 1 due today, 1 due in 7 days',
    ],
  ] as const)('%#', (entries, expected) => expect(subjectOf(entries)).toBe(expected));
});

test('what is late the longest stands first, and both forms say the same', () => {
  const entries = [
    entryOf('upcoming', -3, { name: 'c' }),
    entryOf('overdue', 2, { name: 'b' }),
    entryOf('overdue', 9, {
      name: 'd',
      link: 'https://console.example/#/secrets/d?scope=org&environment=none',
    }),
    entryOf('overdue', 2, { name: 'a' }),
  ];
  const { text, html } = digestMessage('id', acme, 'ada@example.com', entries);
  expect([...text.matchAll(/^Secret: (.*)$/gm)].map(([, name]) => name)).toEqual(['d', 'a', 'b', 'c']);
  const titles = ['Secret', 'State', 'Serves', 'Owner'];
  const texts = htmlTexts(html);
  const lines = text.split('\n').filter((line) => line !== '');
  expect([texts[0], ...texts.slice(5)]).toEqual(
    lines.map((line) => line.replace(/^(Secret|State|Serves|Owner): /, '')),
  );
  expect(texts.slice(1, 5)).toEqual(titles);
  expect(lintHtmlMail(html)).toEqual([]);
});

test('nothing that is written in it can end its element', () => {
  const owner = '<script>alert("x")</script>&amp;';
  const { html } = digestMessage('id', acme, owner, [entryOf('due', 0, { owner })]);
  expect(lintHtmlMail(html)).toEqual([]);
  expect(htmlTexts(html).filter((text) => text.includes(owner))).toHaveLength(2);
});

test('the longest digest is one that Gmail shows whole', () => {
  const long = {
    name: 'n'.repeat(128),
    place: 'p'.repeat(160),
    owner: 'o'.repeat(128),
    command: 'c'.repeat(250),
  };
  const link = `https://console.example/#/secrets/${'n'.repeat(128)}`;
  const usual = {
    name: 'n'.repeat(40),
    command: `fm secrets rotate ${'n'.repeat(40)} --env production`,
    link,
  };
  const entries = Array.from({ length: 80 }, () => entryOf('overdue', 1, usual));
  expect(lintHtmlMail(digestMessage('id', acme, 'ada', entries).html)).toEqual([]);
  const longest = digestMessage(
    'id',
    acme,
    'ada',
    Array.from({ length: 80 }, () => entryOf('overdue', 1, { ...long, link })),
  );
  // Of 80 of the longest names there are it is cut off at the end, where the least urgent stand.
  expect(lintHtmlMail(longest.html)).toEqual(['longer than Gmail shows']);
});

describe('the lint finds', () => {
  const { html } = digestMessage('id', acme, 'ada', [entryOf('due', 0)]);
  test.each([
    ['a script', html.replace('</body>', '<script>1</script></body>')],
    ['a picture', html.replace('</body>', '<img src="https://a.example/pixel"></body>')],
    ['something loaded', html.replace('padding:8px', 'background-color:url(https://a.example)')],
    ['a style of few', html.replace('padding:8px', 'position:absolute')],
    ['a link of another kind', html.replace('</body>', '<a href="data:text/html,x">x</a></body>')],
    ['an element left open', html.replace('</table>', '')],
    ['no language', html.replace(' lang="en"', '')],
    ['a header of nothing', html.replace(' scope="col"', '')],
  ])('%s', (_what, wrong) => {
    expect(wrong).not.toBe(html);
    expect(lintHtmlMail(wrong)).not.toEqual([]);
  });
});
