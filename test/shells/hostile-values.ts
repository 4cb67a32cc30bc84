import type { Random } from '../testkit/random.ts';

const pieces = [
  ...[
    "'",
    '"',
    '`',
    '\\',
    '$',
    '$()',
    '$(id)',
    '`id`',
    '$' + '{PATH}',
    '$env:PATH',
    '%PATH%',
    '!',
    '!!',
    '#',
    '&',
    '|',
  ],
  ...[
    ';',
    '<',
    '>',
    '*',
    '?',
    '[a]',
    '{a,b}',
    '~',
    '=',
    '-',
    '--',
    ' ',
    '  ',
    '\t',
    '\n',
    '\r',
    '\r\n',
    '\n\n',
  ],
  ...[
    '\\n',
    '\\x41',
    '\\101',
    "\\'",
    "'\\''",
    "''",
    '""',
    '\u0001',
    '\u001b[31m',
    '\u007f',
    '\u0085',
    '\u00a0',
  ],
  ...[
    'é',
    'ß',
    '😀',
    '👩‍🚀',
    '\u202e',
    '\u2018',
    '\u2019',
    '\u201c',
    '\ufeff',
    '\u2028',
    '\uf600',
    '\uf6ff',
    '\ufdd0',
  ],
  ...[
    '{{secrets.other}}',
    '{{input.x}}',
    'a',
    'Z',
    '0',
    '9',
    '://',
    '@',
    'EOF',
    '"""',
    '%s',
    '%n',
    '\u{10ffff}',
  ],
];

/** Values that some quoting gets wrong. The first ones are the worst of each kind, the rest are drawn. */
export function hostileValues(random: Random, count: number): readonly Buffer[] {
  const known = [
    ...pieces.map((piece) => Buffer.from(piece)),
    ...[
      '-n',
      '-e x',
      '=x',
      ' x ',
      '\nx',
      'x\n',
      'x\r',
      'x\r\n',
      "it's",
      '$(touch /tmp/owned)',
      "'; exit 9; '",
    ].map((text) => Buffer.from(text)),
    Buffer.alloc(65_536, 'x'),
    Buffer.from("'".repeat(65_536)),
    Buffer.from('\n'.repeat(65_536)),
    Buffer.from('😀'.repeat(16_384)),
    Buffer.alloc(65_536, 0xff),
    Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1)),
    Buffer.from([0xc3, 0x28]),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.from([0xff, 0xfe, 0x0a]),
  ];
  const drawn = Array.from({ length: count - known.length }, () =>
    random.below(4) === 0 ? drawnBytes(random) : drawnText(random),
  );
  return [...known, ...drawn];
}

function drawnText(random: Random): Buffer {
  return Buffer.from(Array.from({ length: 1 + random.below(24) }, () => random.pick(pieces)).join(''));
}

/** Without a NUL, which no environment can hold. */
function drawnBytes(random: Random): Buffer {
  return Buffer.from(Array.from({ length: 1 + random.below(64) }, () => 1 + random.below(255)));
}
