import type { SecretName } from './ids.ts';

/** Which version a reference asks for: the current one (null), one by its number, or the one kept from before. */
export type Pin = number | 'previous' | 'pending' | null;

/** One distinct reference of a config: `{{secrets.name}}`, `{{secrets.name@7}}` or `{{secrets.name.field.0}}`. */
export interface Reference {
  /** As written after `secrets.`, for example `db@7.password`; identifies it within the config. */
  readonly key: string;
  readonly name: SecretName;
  readonly pin: Pin;
  readonly fields: readonly string[];
  /** Every place that names it, in the order of the config. */
  readonly slots: Slot[];
}

/** A string of the config that holds references, and where to write it back. */
export interface Slot {
  readonly holder: Record<string, unknown>;
  readonly key: string;
  readonly parts: readonly (string | Reference)[];
  readonly at: PathNode;
}

/** A path as a linked list: building text for each of a hostile config's places could take gigabytes. */
export interface PathNode {
  readonly parent: PathNode | null;
  readonly key: string | number;
}

/** Text split at its references; `malformed` when it opens a reference that it does not end as one. */
interface Template {
  readonly parts: (string | { name: string; pin: string; fields: string })[];
  readonly malformed: boolean;
}

const OPENER = /(\\?)\{\{[ \t]*secrets(?![A-Za-z0-9_-])/g;
// Bounded repetition: the text after an opener is looked at once, and never more than a few kB of it.
const REST =
  /\.([A-Za-z][A-Za-z0-9_-]{0,127})((?:@(?:[1-9][0-9]{0,8}|previous|pending))?)((?:\.[A-Za-z0-9_-]{1,128}){0,16})[ \t]*\}\}/y;

/**
 * Splits a string at its references. Linear in the text.
 * @returns null when nothing in it is a reference or an escaped one, so that it stays as it is
 */
export function parseTemplate(text: string): Template | null {
  if (!text.includes('{{')) return null;
  const parts: Template['parts'] = [];
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
    const rest = REST.exec(text);
    if (rest === null) {
      malformed = true;
      continue;
    }
    parts.push(text.slice(done, opener.index), {
      name: rest[1] as string,
      pin: rest[2] as string,
      fields: rest[3] as string,
    });
    done = REST.lastIndex;
    OPENER.lastIndex = done;
  }
  if (parts.length === 0 && !malformed) return null;
  parts.push(text.slice(done));
  return { parts: parts.filter((part) => part !== ''), malformed };
}

/** What a config asks for, found in one walk. */
export interface ScannedConfig {
  readonly references: ReadonlyMap<string, Reference>;
  /** Strings that open a reference and do not end it as one. */
  readonly malformed: readonly PathNode[];
  readonly slots: readonly Slot[];
  /** The config itself, under a holder, so that a config that is one string has a slot too. */
  readonly root: { readonly config: unknown };
}

/**
 * Finds every reference of a config.
 * @param maxDepth the levels of nesting allowed; the root object is the first
 * @returns null when the config is nested more deeply: nothing further was looked at
 */
export function scanConfig(config: unknown, maxDepth: number): ScannedConfig | null {
  const references = new Map<string, Reference>();
  const malformed: PathNode[] = [];
  const slots: Slot[] = [];

  const scanString = (text: string, holder: Record<string, unknown>, key: string, at: PathNode) => {
    const template = parseTemplate(text);
    if (template === null) return;
    if (template.malformed) malformed.push(at);
    const parts = template.parts.map((part) => {
      if (typeof part === 'string') return part;
      const id = part.name + part.pin + part.fields;
      let reference = references.get(id);
      if (reference === undefined) {
        const fields = part.fields === '' ? [] : part.fields.slice(1).split('.');
        reference = { key: id, name: part.name as SecretName, pin: toPin(part.pin), fields, slots: [] };
        references.set(id, reference);
      }
      return reference;
    });
    const slot = { holder, key, parts, at };
    slots.push(slot);
    for (const reference of new Set(parts)) if (typeof reference !== 'string') reference.slots.push(slot);
  };

  const scan = (holder: Record<string, unknown>, key: string, at: PathNode, depth: number): boolean => {
    const value = holder[key];
    if (typeof value === 'string') {
      scanString(value, holder, key, at);
      return true;
    }
    if (typeof value !== 'object' || value === null) return true;
    if (depth >= maxDepth) return false;
    const isArray = Array.isArray(value);
    const children = value as Record<string, unknown>;
    for (const child of Object.keys(children)) {
      if (!scan(children, child, { parent: at, key: isArray ? Number(child) : child }, depth + 1))
        return false;
    }
    return true;
  };

  const root = { config };
  return scan(root, 'config', { parent: null, key: '$' }, 0) ? { references, malformed, slots, root } : null;
}

function toPin(text: string): Pin {
  if (text === '') return null;
  if (text === '@previous' || text === '@pending') return text.slice(1) as Pin;
  return Number(text.slice(1));
}

/**
 * Writes the values into the config's slots, in place, each string once: what is inserted is never scanned.
 * A whole reference takes the value as it is, so a number in a JSON secret stays a number.
 * @param lookUp the value of a reference: a string, or what a JSON secret holds at its field; asked at each place
 * @param budget bytes by which the config may grow, as JSON
 * @returns false when the budget was not enough; the config must then be thrown away
 */
export function fillConfig(
  scanned: ScannedConfig,
  lookUp: (reference: Reference) => unknown,
  budget: number,
): boolean {
  const { slots } = scanned;
  let left = slots.reduce((sum, { holder, key }) => sum + jsonBytes(holder[key]), budget);
  for (const { holder, key, parts } of slots) {
    const isWhole = parts.length === 1;
    const taken: unknown[] = [];
    if (!isWhole) left -= QUOTES;
    for (const part of parts) {
      const value = typeof part === 'string' ? part : lookUp(part);
      taken.push(isWhole ? value : asText(value));
      // Before anything is joined: one string of the config may name a field of 60 kB 50,000 times.
      left -= jsonBytes(taken.at(-1)) - (isWhole ? 0 : QUOTES);
      if (left < 0) return false;
    }
    // The property is the config's own (Object.keys found it), so this sets `__proto__` as plain data too.
    holder[key] = isWhole ? taken[0] : taken.join('');
  }
  return true;
}

const QUOTES = 2;

/** Bytes of a value in the answer: control characters and quotes grow when it is written. */
function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

// An answer holds the paths of 200 references, and a hostile config's keys make each path 48 kB long.
const MAX_PATHS = 100;
const MAX_PATHS_CHARACTERS = 8192;
const MAX_PATH_CHARACTERS = 1024;
const MAX_KEY_CHARACTERS = 128;

/** The places of a reference as JSON paths, for example `$.stages[0].config.api_key`; at most the first 100. */
export function pathsOf({ slots }: Pick<Reference, 'slots'>): string[] {
  const paths: string[] = [];
  let characters = 0;
  for (const { at } of slots.slice(0, MAX_PATHS)) {
    const path = pathText(at);
    characters += path.length;
    if (characters > MAX_PATHS_CHARACTERS) break;
    paths.push(path);
  }
  return paths;
}

/** A JSON path as text; long keys are cut, and so are long paths. */
export function pathText(node: PathNode): string {
  const keys: string[] = [];
  for (let at: PathNode | null = node; at !== null; at = at.parent) keys.unshift(segmentText(at));
  return cut(keys.join(''), MAX_PATH_CHARACTERS);
}

/** The cut may go through a surrogate pair, whose half would not be Unicode. */
function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length).toWellFormed()}…` : text;
}

function segmentText({ parent, key }: PathNode): string {
  if (parent === null) return String(key);
  if (typeof key === 'number') return `[${key}]`;
  if (/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(key)) return `.${key}`;
  return `[${JSON.stringify(cut(key, MAX_KEY_CHARACTERS))}]`;
}

/** Whether a place lies under a key named `headers`, where CR, LF and NUL would split the request. */
export function isUnderHeaders(node: PathNode): boolean {
  for (let at: PathNode | null = node; at !== null; at = at.parent) {
    if (typeof at.key === 'string' && at.key.toLowerCase() === 'headers') return true;
  }
  return false;
}
