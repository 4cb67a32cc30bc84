import type { Services } from '../services.ts';
import { openServices } from './open-services.ts';

/** The services of this process. */
export const services: Services = openServices(process.env);
