import type { OrganizationId } from '../contract/ids.ts';

/** A digest in words, in two forms of one content. */
export interface Message {
  /** The same in every attempt to deliver one digest to one addressee. */
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** What a host can deliver by. */
export interface Notifier {
  /**
   * Sends mail; null when the host has no mail server.
   * @throws NotDelivered
   */
  readonly sendMail: ((address: string, message: Message) => Promise<void>) | null;
  /**
   * Gives a message to who looks for it at the host itself: an SNS topic's subscribers, or a folder.
   * @throws NotDelivered
   */
  readonly publish: (org: OrganizationId, message: Message) => Promise<void>;
  /** Whether everything is published, or only what has no other addressee. */
  readonly publishes: 'everything' | 'what nobody gets';
}

/** Something could not be delivered. */
export class NotDelivered extends Error {
  override readonly name = 'NotDelivered';
  /** Whether it would be refused again, so that trying is of no use. */
  readonly final: boolean;

  /** @param why a reason without any address or URL */
  constructor(why: string, final: boolean) {
    super(why);
    this.final = final;
  }
}
