import { KafkaError } from "../wire/kafka-error.ts";

/** What waits for a connection: each ends by itself, at its time limit, or with the connection. */
export class Pending {
  readonly #ends = new Set<(error: KafkaError) => void>();

  /** Ends whatever waits. */
  end(error: KafkaError): void {
    for (const end of this.#ends) end(error);
  }

  /**
   * Settles as `answer` does, if nothing ends it before.
   *
   * @param onLate called with the error that it rejects with when `limit` milliseconds have passed
   */
  within<T>(limit: number, what: string, answer: Promise<T>, onLate: (error: KafkaError) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const settled = () => {
        clearTimeout(timer);
        this.#ends.delete(end);
      };
      const end = (error: unknown) => {
        settled();
        reject(error);
      };
      const timer = setTimeout(() => {
        const late = new KafkaError("TIMEOUT", `${what} ${limit} ms.`, true);
        end(late);
        onLate(late);
      }, limit);
      this.#ends.add(end);
      answer.then((value) => {
        settled();
        resolve(value);
      }, end);
    });
  }

  /** Resolves after so many milliseconds, if nothing ends it before. */
  pause(milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error: KafkaError) => {
        clearTimeout(timer);
        reject(error);
      };
      const timer = setTimeout(() => {
        this.#ends.delete(end);
        resolve();
      }, milliseconds);
      this.#ends.add(end);
    });
  }
}
