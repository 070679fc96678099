import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A thermal camera that answers over HTTP with what stands before it, as JSON. */
export class MatrixCamera implements AsyncDisposable {
  readonly #server: Server;
  #answers: readonly string[] = [];
  #next = 0;

  private constructor() {
    this.#server = createServer((_, response) => {
      const body = this.#answers[this.#next++ % Math.max(1, this.#answers.length)] ?? 'broken';
      response.setHeader('content-type', 'application/json').end(body);
    });
  }

  /** @param port 0 takes a free one */
  static async open(port = 0): Promise<MatrixCamera> {
    const camera = new MatrixCamera();
    await new Promise<void>((resolve) => camera.#server.listen(port, '127.0.0.1', resolve));
    return camera;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/matrix`;
  }

  /** Answers one request after the other with these texts, over and over. */
  show(answers: readonly string[]): void {
    this.#answers = answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
