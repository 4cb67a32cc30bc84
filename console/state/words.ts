import { signal } from '@preact/signals';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The present, as often as ages change what they say. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, MINUTE);

/** A length of time in one number and one letter: `41 d`. */
export function span(ms: number): string {
  const length = Math.abs(ms);
  if (length < MINUTE) return 'now';
  if (length < HOUR) return `${Math.floor(length / MINUTE)} min`;
  if (length < DAY) return `${Math.floor(length / HOUR)} h`;
  if (length < 730 * DAY) return `${Math.floor(length / DAY)} d`;
  return `${Math.floor(length / (365 * DAY))} y`;
}

/** `3 h ago`, `in 12 d`, `now`. */
export function relative(time: string | number, at: number = now.value): string {
  const distance = (typeof time === 'string' ? Date.parse(time) : time) - at;
  const words = span(distance);
  if (words === 'now') return words;
  return distance < 0 ? `${words} ago` : `in ${words}`;
}

const dayFormat = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });
const momentFormat = new Intl.DateTimeFormat('en', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const numberFormat = new Intl.NumberFormat('en');

/** `Nov 24, 2026`, where the reader is. */
export function day(time: string | number): string {
  return dayFormat.format(new Date(time));
}

/** `Nov 24, 12:00:05`, where the reader is. */
export function moment(time: string | number): string {
  return momentFormat.format(new Date(time));
}

export function count(number: number, one?: string, many = `${one}s`): string {
  const digits = numberFormat.format(number);
  return one === undefined ? digits : `${digits} ${number === 1 ? one : many}`;
}
