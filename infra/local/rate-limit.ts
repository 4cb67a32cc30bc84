import { SecretsError } from '../../shared/contract/errors.ts';

/** More identities than this are looked through for those that rest. */
const MANY = 10_000;

/**
 * How often each identity may ask, by the generic cell rate algorithm: a full second's requests at once, and
 * then evenly. It remembers one moment per identity, and only of those that asked lately.
 */
export class RateLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  /** When each identity's allowance is whole again, in milliseconds. */
  readonly #whole = new Map<string, number>();

  /**
   * @param perSecond requests a second; 0 for no limit
   * @param now milliseconds of a clock that never goes back
   */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /**
   * Counts a request.
   * @returns the headers that say what is left (draft-ietf-httpapi-ratelimit-headers); none without a limit
   * @throws SecretsError `rate_limited`
   */
  take(identity: string): Readonly<Record<string, string>> {
    if (this.#perSecond === 0) return {};
    const now = this.#now();
    const whole = Math.max(this.#whole.get(identity) ?? 0, now) + 1000 / this.#perSecond;
    if (whole > now + 1000) {
      throw new SecretsError(
        'rate_limited',
        `This credential may ask ${this.#perSecond} times a second. Wait a second, or resolve a whole config in one request.`,
      );
    }
    if (this.#whole.size >= MANY) this.#forgetRested(now);
    this.#whole.set(identity, whole);
    const remaining = Math.floor(((now + 1000 - whole) * this.#perSecond) / 1000);
    return {
      'ratelimit-policy': `"default";q=${this.#perSecond};w=1`,
      ratelimit: `"default";r=${remaining};t=1`,
    };
  }

  #forgetRested(now: number): void {
    for (const [identity, whole] of this.#whole) if (whole <= now) this.#whole.delete(identity);
  }
}
