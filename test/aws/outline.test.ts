import { join } from 'node:path';
import { expect, it } from 'vitest';
import { outlineOf } from './outline.ts';
import { stages, templatesOfStage } from './stages.ts';

// A change of infra/aws shows here what it changes of a deployment. `npm run test:aws -- outline -u` writes it anew.

it.each(Object.keys(stages))(
  'the stage %s is made of what it was',
  async (stage) => {
    const file = join(import.meta.dirname, 'outlines', `${stage}.txt`);
    await expect(outlineOf(templatesOfStage(stage))).toMatchFileSnapshot(file);
  },
  300_000,
);
