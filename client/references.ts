/**
 * The grammar of `{{secrets.name}}`, as the server has it. The client reads references itself in order to send
 * only those places of a config that hold one, and to know each value by itself: for the cache and for redaction.
 */

/** `{{secrets.name@7.field.0}}`: `key` is what stands after `secrets.`. */
export interface Reference {
  readonly key: string;
  readonly hasFields: boolean;
}

/** Text split at its references. */
export interface Template {
  readonly parts: readonly (string | Reference)[];
  readonly references: readonly Reference[];
  /** It opens a reference that it does not end as one. */
  readonly malformed: boolean;
}

const OPENER = /(\\?)\{\{[ \t]*secrets(?![A-Za-z0-9_-])/g;
// Bounded repetition: the text after an opener is looked at once, and never more than a few kB of it.
const REST =
  /\.([A-Za-z][A-Za-z0-9_-]{0,127}(?:@(?:[1-9][0-9]{0,8}|previous|pending))?)((?:\.[A-Za-z0-9_-]{1,128}){0,16})[ \t]*\}\}/y;
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,127}$/;

/** Splits a string at its references; null when it has none, none escaped, and none malformed. Linear. */
export function parseTemplate(text: string): Template | null {
  if (!text.includes('{{')) return null;
  const parts: (string | Reference)[] = [];
  let malformed = false;
  let done = 0;
  OPENER.lastIndex = 0;
  for (let opener = OPENER.exec(text); opener !== null; opener = OPENER.exec(text)) {
    if (opener[1] === '\\') {
      parts.push(text.slice(done, opener.index));
      done = opener.index + 1;
      continue;
    }
    REST.lastIndex = OPENER.lastIndex;
    const [, name, fields = ''] = REST.exec(text) ?? [];
    if (name === undefined) {
      malformed = true;
      continue;
    }
    parts.push(text.slice(done, opener.index), { key: name + fields, hasFields: fields !== '' });
    done = REST.lastIndex;
    OPENER.lastIndex = done;
  }
  if (parts.length === 0 && !malformed) return null;
  const all = [...parts, text.slice(done)].filter((part) => part !== '');
  return { parts: all, references: all.filter((part) => typeof part !== 'string'), malformed };
}

/** Whether a secret could have this name. */
export function isName(text: string): boolean {
  return NAME.test(text) && text !== 'audit';
}
