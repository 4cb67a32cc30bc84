import assert from 'node:assert/strict';
import { planConfig } from '../../client/plan.ts';
import { parseTemplate as parseAsClient } from '../../client/references.ts';
import { fillConfig, parseTemplate, pathsOf, scanConfig } from '../../shared/contract/references.ts';

/** Any text as a config, and as one within another: server and client read the same references, and fill alike. */
export function fuzz(bytes: Buffer): void {
  const text = bytes.toString('utf8');
  const template = parseTemplate(text);
  const asClient = parseAsClient(text);
  assert.equal(asClient === null, template === null);
  assert.equal(asClient?.malformed, template?.malformed);
  const keys = (template?.parts ?? []).flatMap((part) =>
    typeof part === 'string' ? [] : [part.name + part.pin + part.fields],
  );
  assert.deepEqual(asClient?.references.map(({ key }) => key) ?? [], keys);
  const config = { a: [text, { headers: text }] };
  const scanned = scanConfig(structuredClone(config), 64);
  assert.ok(scanned !== null);
  for (const reference of scanned.references.values()) assert.ok(pathsOf(reference).length > 0);
  if (scanned.malformed.length > 0) return;
  const value = '{{secrets.again}}$&\\';
  assert.ok(fillConfig(scanned, () => value, 64 * 1024 * 1024));
  const plan = planConfig(config);
  const request = scanConfig(structuredClone(plan.request), 65);
  if (plan.request === undefined || request === null) {
    assert.deepEqual(plan.fill(), scanned.root.config);
    return;
  }
  assert.ok(fillConfig(request, () => value, 64 * 1024 * 1024));
  assert.deepEqual(plan.fill(plan.take(request.root.config)), scanned.root.config);
}
