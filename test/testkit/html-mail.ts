/** Elements that mail programs drop, block or warn of. */
const FORBIDDEN =
  /<(script|link|style|img|iframe|object|embed|form|input|video|audio|svg|base|meta http-equiv)\b/i;
/** Styles that all of the large mail programs take (caniemail.com, "supported" everywhere). */
const STYLES = new Set([
  ...['font-family', 'font-size', 'font-weight', 'line-height', 'color', 'background-color', 'padding'],
  ...[
    'padding-top',
    'text-align',
    'vertical-align',
    'border-top',
    'border-collapse',
    'width',
    'margin',
    'word-break',
  ],
]);
const VOID = new Set(['meta', 'br']);
/** Gmail cuts off what is longer. */
const MOST_BYTES = 102 * 1024;

/** What is wrong with a mail's HTML, by the rules that linters of HTML mail agree on. */
export function lintHtmlMail(html: string): string[] {
  const found: string[] = [];
  const refuse = (isWrong: boolean, why: string) => isWrong && found.push(why);
  refuse(!html.startsWith('<!DOCTYPE html>'), 'no doctype');
  refuse(!/<html lang="[a-z]+">/.test(html), 'no language');
  refuse(!/<meta charset="utf-8">/.test(html), 'no character set');
  refuse(!/<title>[^<]+<\/title>/.test(html), 'no title');
  refuse(FORBIDDEN.test(html), `an element that mail programs drop: ${FORBIDDEN.exec(html)?.[1]}`);
  refuse(/\son[a-z]+=|javascript:|expression\(|url\(/i.test(html), 'code or something loaded');
  refuse(Buffer.byteLength(html) > MOST_BYTES, 'longer than Gmail shows');
  for (const line of html.split('\n')) refuse(Buffer.byteLength(line) > 4000, 'a very long line');
  for (const [, href = ''] of html.matchAll(/\shref="([^"]*)"/g))
    refuse(!/^https?:\/\//.test(href), `a link to ${href}`);
  for (const [, style = ''] of html.matchAll(/\sstyle="([^"]*)"/g)) {
    for (const rule of style.split(';')) {
      const property = rule.split(':')[0]?.trim() ?? '';
      refuse(!STYLES.has(property), `a style that is not taken everywhere: ${property}`);
    }
  }
  for (const [, header = ''] of html.matchAll(/<th\b([^>]*)>/g))
    refuse(!/scope="(col|row)"/.test(header), 'a header cell of nothing');
  return [...found, ...unbalanced(html)];
}

/** Elements that are closed in another order than they were opened, or not. */
function unbalanced(html: string): string[] {
  const open: string[] = [];
  for (const [, slash, name = ''] of html.matchAll(/<(\/?)([a-z]+[0-9]?)\b[^>]*>/g)) {
    if (VOID.has(name)) continue;
    if (slash === '') open.push(name);
    else if (open.pop() !== name) return [`</${name}> closes another element`];
  }
  return open.length === 0 ? [] : [`<${open.join('>, <')}> not closed`];
}

/** What a reader without styles reads: the texts of the cells and paragraphs, in order. */
export function htmlTexts(html: string): string[] {
  return html
    .slice(html.indexOf('<body'))
    .replaceAll(/<[^>]+>/g, '\n')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .split('\n')
    .map((text) => text.trim())
    .filter((text) => text !== '');
}
