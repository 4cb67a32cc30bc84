import { connect, type Socket } from 'node:net';

/** A client that sends bytes as they are, and no more than it is told: for what no HTTP library would do. */
export class RawClient implements Disposable {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  #look: () => void = () => undefined;
  /** Settles when the connection is over, however that came about. */
  readonly closed: Promise<void>;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
    // A connection that is cut off is an outcome like another here.
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#look();
    });
    this.#socket.once('close', () => this.#look());
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Says that nothing more comes, and goes on listening. */
  end(): void {
    this.#socket.end();
  }

  /** All that came back. */
  received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Waits until this text came, or the connection is over. */
  async until(text: string): Promise<void> {
    while (!this.#socket.destroyed && !this.received().includes(text)) {
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }

  /** Stops taking what is sent, as a client does that is slow. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** The head of a request with a JSON body of so many bytes. */
export function requestHead(
  method: string,
  path: string,
  key: string,
  length: number,
  more: readonly string[] = [],
): string {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'host: localhost',
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    `content-length: ${length}`,
    ...more,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
