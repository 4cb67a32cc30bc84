import { services } from '#services';
import { describeCaller } from '../../shared/callers/describe-caller.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/caller: what the credential of this request is and may. */
export const handler = defineHandler(services, routes.describeCaller, describeCaller);
