import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { setRotator } from '../../shared/rotation/manage-rotation.ts';
import * as routes from '../routes.ts';

/** PUT /api/v1/secrets/{name}/rotator: what rotates a secret by itself. */
export const handler = defineHandler(services, routes.setRotator, setRotator);
