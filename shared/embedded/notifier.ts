import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SendMailOptions } from 'nodemailer';
import { type Message, NotDelivered, type Notifier } from '../reminders/notifier.ts';
import { writePrivateFile } from './files.ts';

interface MailSettings {
  readonly smtpUrl: string | undefined;
  readonly from: string | undefined;
  /** Where messages are kept that no mail server takes. */
  readonly outbox: string;
  readonly print: (line: string) => void;
}

const TIMEOUTS = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 };

/** Mail by SMTP where there is a server; else each message is printed in one line and kept as a file. */
export function embeddedNotifier({ smtpUrl, from, outbox, print }: MailSettings): Notifier {
  return {
    sendMail:
      smtpUrl === undefined || from === undefined
        ? null
        : (address, message) => sendBySmtp(smtpUrl, mailOf(from, address, message)),
    publish: async (org, message) => {
      mkdirSync(outbox, { recursive: true, mode: 0o700 });
      const path = join(outbox, `${message.id}.eml`);
      const mail = mailOf(from ?? 'flowmason-secrets@localhost', `${org}@localhost`, message);
      writePrivateFile(path, await composed(mail));
      print(`Reminder: ${message.subject}. It is kept in ${path}\n`);
    },
    publishes: smtpUrl === undefined ? 'everything' : 'what nobody gets',
  };
}

function mailOf(from: string, to: string, { id, subject, text, html }: Message): SendMailOptions {
  return {
    ...{ from, to, subject, text, html },
    // The same in every attempt: mail servers that know it drop the second one.
    messageId: `<${id}@flowmason-secrets>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** @throws NotDelivered */
async function sendBySmtp(smtpUrl: string, mail: SendMailOptions): Promise<void> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    url: smtpUrl,
    // Passwords and names of secrets cross no network in the clear.
    requireTLS: !/^smtps?:\/\/(?:[^@/]*@)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?:[:/?]|$)/i.test(smtpUrl),
    ...TIMEOUTS,
  });
  try {
    await transport.sendMail(mail);
  } catch (error) {
    throw new NotDelivered('the mail server did not take a mail', isRefusal(error));
  } finally {
    transport.close();
  }
}

/** Whether the server said no to this very mail, and not that it cannot take any now. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || !('responseCode' in error)) return false;
  return ['EENVELOPE', 'EMESSAGE'].includes(String(error.code)) && Number(error.responseCode) >= 500;
}

async function composed(mail: SendMailOptions): Promise<Buffer> {
  const { createTransport } = await import('nodemailer');
  const { message } = await createTransport({ streamTransport: true, buffer: true }).sendMail(mail);
  return message as Buffer;
}
