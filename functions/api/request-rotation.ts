import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { requestRotation } from '../../shared/rotation/manage-rotation.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/secrets/{name}/rotation: start, resume or abandon a rotation by its rotator. */
export const handler = defineHandler(services, routes.requestRotation, requestRotation);
