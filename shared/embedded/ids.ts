import { randomUUID } from 'node:crypto';

/**
 * A new id: a UUID of version 7 (RFC 9562), whose order is that of time. Random ones would scatter the rows of
 * an index over all its pages, and each page that is touched is a page to write.
 */
export function newTimeOrderedId(now: Date): string {
  const milliseconds = now.getTime().toString(16).padStart(12, '0');
  // Of a random UUID, all that stands behind its version.
  const random = randomUUID().slice('xxxxxxxx-xxxx-4'.length);
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7${random}`;
}
