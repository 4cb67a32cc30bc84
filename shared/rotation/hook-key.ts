import type { Caller } from '../access/caller.ts';
import { type Coordinates, coordinatesKey } from '../contract/coordinates.ts';
import { lengthPrefixed } from '../envelope/bytes.ts';
import type { WriteNeeds } from '../secrets/change-secret.ts';

/** What a hook verifies our posts with: made of where the secret stands and of the URL, and never stored. */
export async function signingKeyOf(
  { keyService }: Pick<WriteNeeds, 'keyService'>,
  { org }: Pick<Caller, 'org'>,
  at: Coordinates,
  url: string,
): Promise<string> {
  const key = await keyService.mac('rotator', lengthPrefixed([org, coordinatesKey(at), url]));
  return `whsec_${key.toString('base64')}`;
}
