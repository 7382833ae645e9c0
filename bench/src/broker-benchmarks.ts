import { randomBytes } from "node:crypto";
import type { Benchmark, Work } from "./benchmark.ts";
import type { BrokerClient, BrokerContender, ClientOptions } from "./broker-client.ts";

/** So many that most of them come when the compiler has done with what runs once for each, as in a service that has run for a while. */
const LATENCIES = 5_000;

/** A broker that benchmarks run on, as `npm run bench` names it. */
export interface BrokerBenchmarks {
  /** `amqp`: the benchmarks are called `amqp-publish` and so on. */
  readonly kind: string;
  readonly title: string;
  readonly broker: NonNullable<Benchmark["broker"]>;
  readonly contenders: readonly BrokerContender[];
  /** To how many queues at once publishing is measured besides. */
  readonly fanOuts?: readonly number[];
}

/** The same benchmarks for every broker. */
export function brokerBenchmarks({ kind, title, broker, contenders, fanOuts = [] }: BrokerBenchmarks): Benchmark[] {
  const benchmark = (
    mode: string,
    what: string,
    count: number,
    prepare: (connect: BrokerContender["connect"]) => Promise<Work>,
    among = contenders,
  ): Benchmark => ({
    name: `${kind}-${mode}`,
    title: `${title}: ${what}, 330-byte events`,
    count,
    unit: "events",
    broker,
    contenders: among.map(({ name, lacks = "", share = 1, connect }) => {
      return { name, lacks, share, prepare: () => prepare(connect) };
    }),
  });
  return [
    benchmark("publish", "publish, confirmed", 40_000, (connect) => publishing(connect, 1)),
    benchmark("consume-20", "consume, 20 handlers", 60_000, (connect) => consuming(connect, 20)),
    benchmark("consume-200", "consume, 200 handlers", 60_000, (connect) => consuming(connect, 200)),
    benchmark("both", "publish and consume in one process", 40_000, both),
    benchmark("latency", "one event at a time, from publishing it to its handler", LATENCIES, oneAtATime),
    ...fanOuts.map((queues) =>
      benchmark(
        `fan-out-${queues}`,
        `publish to ${queues} use cases, confirmed`,
        Math.ceil(40_000 / queues ** 0.5),
        (connect) => publishing(connect, queues),
        contenders.filter(({ fansOut }) => fansOut),
      ),
    ),
  ];
}

async function publishing(connect: BrokerContender["connect"], queues: number): Promise<Work> {
  const client = await connect({ ...options(20, undefined), queues });
  return { run: (count) => client.publish(count), close: () => client.close() };
}

/** The events are in the queue before, and the first that were handed out wait for the gate to open. */
async function consuming(connect: BrokerContender["connect"], handlers: number): Promise<Work> {
  const { handled, client, gate } = await handling(connect, handlers);
  return {
    before: async (count) => {
      gate.close();
      await client.publish(count);
    },
    run: async (count) => {
      const all = handled.after(count);
      gate.open();
      await all;
    },
    close: () => client.close(),
  };
}

async function both(connect: BrokerContender["connect"]): Promise<Work> {
  const { handled, client } = await handling(connect, 20);
  return {
    run: async (count) => {
      const all = handled.after(count);
      await client.publish(count);
      await all;
    },
    close: () => client.close(),
  };
}

async function oneAtATime(connect: BrokerContender["connect"]): Promise<Work> {
  const { handled, client } = await handling(connect, 20);
  const latencies: number[] = [];
  return {
    run: async (count) => {
      latencies.length = 0;
      for (let index = 0; index < count; index += 1) {
        const begun = performance.now();
        const one = handled.after(1).then(() => latencies.push(performance.now() - begun));
        await client.publish(1);
        await one;
      }
    },
    latencies: () => latencies,
    close: () => client.close(),
  };
}

async function handling(connect: BrokerContender["connect"], handlers: number) {
  const handled = new Countdown();
  const gate = new Gate();
  const client: BrokerClient = await connect(
    options(handlers, async () => {
      if (gate.closed !== undefined) await gate.closed;
      handled.one();
    }),
  );
  return { handled, client, gate };
}

function options(handlers: number, handle: ClientOptions["handle"]): ClientOptions {
  const uri = process.env.PAPA_EVENTS_BENCH_BROKER ?? "";
  return { uri, namespace: `bench-${randomBytes(4).toString("hex")}`, handlers, handle };
}

/** Tells when so many have come. */
class Countdown {
  #left = 0;
  #done: () => void = () => {};

  after(count: number): Promise<void> {
    this.#left = count;
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  one(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#done();
  }
}

/** What handlers wait at while it is closed. */
class Gate {
  closed: Promise<void> | undefined;
  open: () => void = () => {};

  close(): void {
    this.closed = new Promise((resolve) => {
      this.open = () => {
        this.closed = undefined;
        resolve();
      };
    });
  }
}
