/** What a contender is asked for: a way to publish to its own queue on a broker, and to handle what is in it. */
export interface ClientOptions {
  readonly uri: string;
  /** In the names of all that it makes, so that no two contenders meet. */
  readonly namespace: string;
  /** How many handlers may run at once. */
  readonly handlers: number;
  /** How many queues each event goes to; 1 unless set. */
  readonly queues?: number | undefined;
  /** What handles an event; absent where nothing is consumed. */
  readonly handle?: (() => Promise<void>) | undefined;
}

/** A contender's way to a broker. */
export interface BrokerClient {
  /** Publishes so many events; resolves when the broker has confirmed them all. */
  publish(count: number): Promise<void>;
  close(): Promise<void>;
}

export interface BrokerContender {
  readonly name: string;
  readonly lacks?: string;
  /** The share of the events that it is given, where more would only take longer. */
  readonly share?: number;
  /** Whether it can publish to several queues. */
  readonly fansOut?: boolean;
  readonly connect: (options: ClientOptions) => Promise<BrokerClient>;
}

/** Calls `publishOne` so often, from `atOnce` loops that each wait for theirs. */
export async function inLoops(
  count: number,
  atOnce: number,
  publishOne: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const loop = async () => {
    while (next < count) {
      next += 1;
      await publishOne(next);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, loop));
}
