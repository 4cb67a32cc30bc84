import { LimitExceededError, UnavailableError } from './errors.ts';
import { parseTemplate, type Template } from './references.ts';

/**
 * What a config asks of the server, and how its answer fills the config.
 *
 * Only the places that hold a reference are sent, each at its own path, so that an error names the place where
 * the user wrote it and the server sees what stands under `headers`; prompts and other text stay here. References
 * inside other text are asked for one by one, so that each value is known by itself.
 */
export interface Plan {
  /** What to send; undefined when there is nothing to ask. */
  readonly request: unknown;
  /** The place in the user's config that a path of the server's means. */
  ownPath(path: string): string;
  /** Reads the server's config. @throws UnavailableError when it has not the shape of what was sent */
  take(answer: unknown): Answer;
  /** A copy of the config with every reference replaced; without an answer, when there was nothing to ask. */
  fill(answer?: Answer): unknown;
}

/** What came out of the store. */
export interface Answer {
  /** By reference, as it stands after `secrets.`. */
  readonly values: Map<string, unknown>;
  /** Values and composed texts that no single reference stands for. */
  readonly further: string[];
  /** What each string of the config became. */
  readonly texts: Map<string, unknown>;
}

type Place = readonly (string | number)[];
interface Slot {
  readonly text: string;
  readonly template: Template;
  readonly place: Place;
  readonly asked: string | readonly string[];
}

const MAX_DEPTH = 64;
const MAX_KEY_CHARACTERS = 128;
const MAX_PATH_CHARACTERS = 1024;
// Asks the server to write a value as text, exactly as it would inside a string; it is cut off again.
const AS_TEXT = '=';

/** Finds a config's references. @throws LimitExceededError when it is nested too deeply: nothing was sent */
export function planConfig(config: unknown): Plan {
  const slots: Slot[] = [];
  const local = new Map<string, unknown>();
  const request = scan(config, [], slots, local);
  let moved: ReadonlyMap<string, string> | undefined;
  return {
    request,
    ownPath: (path) => {
      moved ??= movedPaths(slots);
      return moved.get(path) ?? path;
    },
    take: (answer) => takeAnswer(slots, answer),
    fill: (answer) => fill(config, new Map([...local, ...(answer?.texts ?? [])])),
  };
}

/** The part of a config that is sent; undefined when it holds no reference. */
function scan(config: unknown, place: Place, slots: Slot[], local: Map<string, unknown>): unknown {
  if (typeof config === 'string') return scanText(config, place, slots, local);
  if (!isNested(config)) return undefined;
  if (place.length >= MAX_DEPTH)
    throw new LimitExceededError(`A config may be nested ${MAX_DEPTH} levels deep.`, {
      code: 'config_too_deep',
    });
  if (Array.isArray(config)) {
    const items = config.map((item, index) => scan(item, [...place, index], slots, local));
    return items.some((item) => item !== undefined) ? items.map((item) => item ?? null) : undefined;
  }
  const members = Object.entries(config)
    .map(([key, value]) => [key, scan(value, [...place, key], slots, local)] as const)
    .filter(([, sent]) => sent !== undefined);
  return members.length > 0 ? Object.fromEntries(members) : undefined;
}

function scanText(text: string, place: Place, slots: Slot[], local: Map<string, unknown>): unknown {
  const template = parseTemplate(text);
  if (template === null) return undefined;
  if (template.references.length === 0 && !template.malformed) {
    local.set(text, template.parts.join('')); // escaped ones lose their backslash
    return undefined;
  }
  // At the deepest level there is no room for an array: the string is sent as it is and taken as a whole.
  const isWhole = template.malformed || template.parts.length === 1 || place.length >= MAX_DEPTH;
  const asked = isWhole ? text : template.references.map(({ key }) => `${AS_TEXT}{{secrets.${key}}}`);
  slots.push({ text, template, place, asked });
  return asked;
}

function movedPaths(slots: readonly Slot[]): ReadonlyMap<string, string> {
  const moved = new Map<string, string>();
  for (const { place, asked } of slots) {
    const own = pathText(place);
    if (typeof asked !== 'string')
      for (const index of asked.keys()) moved.set(pathText([...place, index]), own);
  }
  return moved;
}

function takeAnswer(slots: readonly Slot[], answer: unknown): Answer {
  const taken: Answer = { values: new Map(), further: [], texts: new Map() };
  for (const slot of slots) {
    const found = slot.place.reduce<unknown>(
      (at, key) => (isNested(at) ? Reflect.get(at, key) : undefined),
      answer,
    );
    if (typeof slot.asked === 'string') takeWhole(slot, found, taken);
    else taken.texts.set(slot.text, takeParts(slot.template, found, taken));
  }
  return taken;
}

function takeWhole({ text, template }: Slot, found: unknown, into: Answer): void {
  if (found === undefined) throw shapeless();
  const [only] = template.references;
  if (template.parts.length === 1 && only !== undefined) into.values.set(only.key, found);
  else if (typeof found === 'string') into.further.push(found);
  into.texts.set(text, found);
}

function takeParts({ parts, references }: Template, found: unknown, into: Answer): string {
  if (!Array.isArray(found) || found.length !== references.length) throw shapeless();
  const values = found.map((value: unknown) => {
    if (typeof value !== 'string') throw shapeless();
    return value.slice(AS_TEXT.length);
  });
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = values.shift() ?? '';
      // Written as text it is the value itself, unless it is a field, which may be a number.
      if (part.hasFields) into.further.push(value);
      else into.values.set(part.key, value);
      return value;
    })
    .join('');
}

function shapeless(): UnavailableError {
  return new UnavailableError("The server's answer has not the shape of the config.", {
    code: 'invalid_answer',
  });
}

function fill(config: unknown, texts: ReadonlyMap<string, unknown>): unknown {
  if (typeof config === 'string') {
    const filled = texts.has(config) ? texts.get(config) : config;
    // A field that is an object: each place has its own.
    return isNested(filled) ? structuredClone(filled) : filled;
  }
  if (!isNested(config)) return config;
  if (Array.isArray(config)) return config.map((item) => fill(item, texts));
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, fill(value, texts)]));
}

/** Arrays and plain objects, which is what JSON has; a Date or a Buffer stays as it is. */
function isNested(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || prototype === Object.prototype;
}

/** A JSON path as the server writes it; long keys and long paths are cut. */
function pathText(place: Place): string {
  return cut(`$${place.map(segmentText).join('')}`, MAX_PATH_CHARACTERS);
}

function segmentText(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`;
  if (/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(key)) return `.${key}`;
  return `[${JSON.stringify(cut(key, MAX_KEY_CHARACTERS))}]`;
}

/** The cut may go through a surrogate pair, whose half would not be Unicode. */
function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length).replace(/[\ud800-\udbff]$/, '\ufffd')}…` : text;
}
