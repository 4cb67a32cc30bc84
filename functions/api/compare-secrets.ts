import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { compareValues } from '../../shared/secrets/compare-values.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/secrets/compare: what putting values would meet, for a plan before an import. */
export const handler = defineHandler(services, routes.compareSecrets, compareValues);
