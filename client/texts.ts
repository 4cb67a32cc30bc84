import { numbersIn } from './numbers.ts';

/**
 * The texts that a secret holds: its own and, if that is JSON, each string and number in it, since whoever
 * parses it may print one of them.
 */
export function textsIn(value: unknown): [string, ...string[]] {
  if (typeof value !== 'string') return [JSON.stringify(value) ?? '', ...members(value)];
  if (!/^[{[]/.test(value)) return [value];
  try {
    // A number that is rounded when it is read is printed as it was written by those who do not round it.
    return [value, ...members(JSON.parse(value)), ...numbersIn(value)];
  } catch {
    return [value];
  }
}

function members(value: unknown): string[] {
  const found: string[] = [];
  const pending = [value];
  while (pending.length > 0) {
    const at = pending.pop();
    if (typeof at === 'string') found.push(at);
    else if (typeof at === 'number') found.push(String(at));
    else if (typeof at === 'object' && at !== null)
      for (const member of Object.values(at)) pending.push(member);
  }
  return found;
}
