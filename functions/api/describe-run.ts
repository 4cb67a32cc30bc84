import { services } from '#services';
import { describeRun } from '../../shared/callers/describe-run.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/runs/{run_id}: a run, and which version of which secret it used when. */
export const handler = defineHandler(services, routes.describeRun, describeRun);
