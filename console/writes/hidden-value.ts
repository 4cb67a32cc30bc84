import { signal } from '@preact/signals';

/** What a value's text looks like before it is stored, so that a slip of the clipboard is seen in time. */
export interface Slip {
  readonly what: string;
  /** The text without the slip; null when only the writer can know. */
  readonly mended: string | null;
}

/** The slip in a text that was pasted, or null. Says what is wrong and never quotes the text. */
export function slipOf(text: string): Slip | null {
  if (/^fmk_/.test(text.trim())) return { what: 'This is an API key of FlowMason Secrets.', mended: null };
  if (/\{\{\s*secrets\./.test(text))
    return { what: 'This is a reference to a secret, not a value.', mended: null };
  if (/^\s+|\s+$/.test(text) && text.trim() !== '')
    return { what: 'It begins or ends with a space or a line break.', mended: text.trim() };
  const quoted = /^(["'`])([\s\S]*)\1$/.exec(text)?.[2];
  if (quoted) return { what: 'It stands in quotation marks.', mended: quoted };
  const assigned = /^(?:export )?[A-Z][A-Z0-9_]*=(\S+)$/.exec(text)?.[1];
  if (assigned) return { what: 'It is a whole line NAME=value.', mended: assigned };
  if (/^(x{4,}|\*{4,}|•+|<[^>]+>|changeme|todo|null|undefined)$/i.test(text))
    return { what: 'It looks like a placeholder.', mended: null };
  return null;
}

const MANY_KINDS = 3;

/** Whether a text looks like a credential, which has no place in a field that every viewer can read. */
export function looksSecret(text: string): boolean {
  const longest = /[\w+/=.~-]{20,}/.exec(text)?.[0];
  if (longest === undefined) return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^\w]|_/].filter((kind) => kind.test(longest)).length;
  return kinds >= MANY_KINDS || /^(sk|pk|ghp|gho|xox[bp]|AKIA|eyJ|fmk)/.test(longest);
}

/**
 * A value on its way from the keyboard to the server. It is never in the document: not as the text of a field
 * that a reload, an extension or a screen reader would find.
 */
export class HiddenValue {
  /** Whether there is any; never how much. */
  readonly isEntered = signal(false);
  #text = '';

  set(text: string): void {
    this.#text = text;
    this.isEntered.value = text !== '';
  }

  add(text: string): void {
    this.set(this.#text + text);
  }

  removeLast(): void {
    this.set([...this.#text].slice(0, -1).join(''));
  }

  /** The text, to be sent. */
  reveal(): string {
    return this.#text;
  }
}
