/** `fm` from its source: every command. The built one loads only the family that was asked for. */
import { families } from './families.ts';
import { main } from './main.ts';

await main(families);
