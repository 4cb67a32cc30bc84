import { StringDecoder } from 'node:string_decoder';
import type { ReadStream } from 'node:tty';
import { localFailure, usageFailure } from './failure.ts';

const ESCAPE = '\u001b';
const CONTROL_C = '\u0003';
const CONTROL_D = '\u0004';
const CONTROL_U = '\u0015';
const BACKSPACES = ['\u007f', '\b'];
const sequence = new RegExp(`^${ESCAPE}(?:\\[[0-9;?]*[ -/]*[@-~]|O.)`);
const unfinishedSequence = new RegExp(`^${ESCAPE}(?:\\[[0-9;?]*[ -/]*|O)?$`);
const PASTE_BEGINS = `${ESCAPE}[200~`;
const PASTE_ENDS = `${ESCAPE}[201~`;
// A terminal that knows bracketed paste marks a paste, so its line breaks are text and not Enter. Without it
// the second line of a pasted key would end up in the shell, and in its history.
const MARK_PASTES = `${ESCAPE}[?2004h`;
const DO_NOT_MARK_PASTES = `${ESCAPE}[?2004l`;
const DRAIN_MS = 100;

/** What was typed so far. */
export interface Typed {
  readonly text: string;
  readonly isPasting: boolean;
  /** The beginning of a key's sequence whose end has not come yet. */
  readonly rest: string;
  readonly end?: 'entered' | 'cancelled' | 'several-lines';
}

export const nothingTyped: Typed = { text: '', isPasting: false, rest: '' };

/** Takes what a raw terminal sent next. Pure: the terminal itself is {@link readHidden}'s. */
export function type(typed: Typed, input: string): Typed {
  let state: Typed = { ...typed, rest: '' };
  let left = typed.rest + input;
  while (left !== '' && state.end === undefined) {
    if (unfinishedSequence.test(left)) return { ...state, rest: left };
    const key = sequence.exec(left)?.[0] ?? String.fromCodePoint(left.codePointAt(0) ?? 0);
    left = left.slice(key.length);
    state = state.isPasting ? paste(state, key) : press(state, key);
  }
  const isMore = state.end === 'entered' && !/^[\r\n]?$/.test(left);
  return isMore ? { ...state, end: 'several-lines' } : state;
}

function paste(state: Typed, key: string): Typed {
  if (key === PASTE_ENDS) return { ...state, isPasting: false };
  return { ...state, text: state.text + (key === '\r' ? '\n' : key) };
}

function press(state: Typed, key: string): Typed {
  if (key === PASTE_BEGINS) return { ...state, isPasting: true };
  if (key === '\r' || key === '\n') return { ...state, end: 'entered' };
  if (key === CONTROL_C || (key === CONTROL_D && state.text === '')) return { ...state, end: 'cancelled' };
  if (key === CONTROL_D) return { ...state, end: 'entered' };
  if (key === CONTROL_U) return { ...state, text: '' };
  if (BACKSPACES.includes(key)) return { ...state, text: Array.from(state.text).slice(0, -1).join('') };
  const isTyped = key === '\t' || !/^\p{Cc}/u.test(key);
  return isTyped ? { ...state, text: state.text + key } : state;
}

/**
 * Asks on a terminal for a value, echoing nothing at all: a dot a character would tell its length.
 * @throws Failure when it was cancelled, or when several lines came that were not marked as a paste
 */
export async function readHidden(
  stdin: ReadStream,
  stderr: NodeJS.WritableStream,
  question: string,
): Promise<string> {
  // Raw before the question is shown: who sees it can type at once without an echo.
  stdin.setRawMode(true);
  stderr.write(`${MARK_PASTES}${question}`);
  try {
    const { text, end } = await typedLine(stdin);
    if (end === 'cancelled') throw localFailure('cancelled', 'Cancelled', 'Nothing was sent.');
    if (end === 'several-lines') {
      throw usageFailure('Several lines came where one was asked for. Nothing was sent.', [
        'Give a value of several lines with --from-file, or with - on standard input.',
      ]);
    }
    return text;
  } finally {
    stderr.write(`${DO_NOT_MARK_PASTES}\n`);
    stdin.setRawMode(false);
    stdin.pause();
  }
}

async function typedLine(stdin: ReadStream): Promise<Typed> {
  const decoder = new StringDecoder('utf8');
  return new Promise((resolve) => {
    let typed = nothingTyped;
    const finish = (last: Typed): void => {
      stdin.removeAllListeners('data').removeAllListeners('end');
      // The other lines of an unmarked paste are swallowed here, or the shell would run them.
      stdin.on('data', () => undefined);
      setTimeout(() => resolve(last), last.end === 'several-lines' ? DRAIN_MS : 0);
    };
    stdin.on('end', () => finish({ ...typed, end: 'cancelled' }));
    stdin.on('data', (chunk: Buffer) => {
      typed = type(typed, decoder.write(chunk));
      if (typed.end !== undefined) finish(typed);
    });
    // A question before this one has paused it.
    stdin.resume();
  });
}
