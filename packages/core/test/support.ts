import type { StandardSchemaV1 } from "@standard-schema/spec";
import { onTestFinished } from "vitest";
import { type Logger, PapaApp, type PapaAppOptions, type UseCase } from "../src/index.ts";
import type {
  Capabilities,
  Clock,
  Connection,
  ConnectOptions,
  DeclarationRecord,
  Declarations,
  Delivery,
  EncodedEvent,
  OnDelivery,
  QueueStats,
  ReceivedEvent,
  Settled,
  Settlement,
  Transport,
  Trials,
  Unconfirmed,
} from "../src/transport.ts";

/** A broker that does what the test says: it delivers any event, however odd, and confirms what it is told to. */
export class FakeTransport implements Transport {
  readonly name = "fake";
  capabilities: Capabilities = {
    atomicOutputs: true,
    atomicMoves: true,
    countsRedeliveries: true,
    declarationsComplete: true,
    addressedForwarding: true,
    headers: { maxBytes: 65_536, perHeader: 8 },
    durability: "process",
    discovery: 0,
    exclusive: "while-connected",
    publishing: { eventsPerCall: 100, callsInFlight: 1, bytesPerCall: 1_000_000 },
  };
  /** What the app has given to be published, call by call. */
  readonly calls: (readonly EncodedEvent[])[] = [];
  /** What becomes of a publish call; all of it is confirmed unless set. */
  onPublish: (events: readonly EncodedEvent[]) => Promise<readonly Unconfirmed[]> = async () => [];
  /** What storing a settlement comes to. */
  onSettle: (settlement: Settlement) => Promise<Settled> = async () => "stored";
  /** The machine's unless set. */
  clock: Clock | undefined;
  /** What `close` waits for. */
  closing: Promise<void> = Promise.resolve();
  /** What a subscription's `stop` waits for. */
  unsubscribing: Promise<void> = Promise.resolve();
  onInspect: () => Promise<QueueStats> = async () => ({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  /** How many connections are open. */
  connections = 0;
  onDeclare: () => void = () => {};
  /** What is declared; `undefined` where it cannot tell. */
  onList: (useCase?: string) => readonly DeclarationRecord[] | undefined = () => [];
  /** Where trials are recorded; nowhere unless set. */
  trials: Trials | undefined;
  /** What the app holds the broker to. */
  options: ConnectOptions | undefined;
  readonly withdrawn: string[] = [];
  #onStatus: ConnectOptions["onStatus"] = () => {};
  readonly #subscribers = new Map<string, OnDelivery>();

  async connect(options: ConnectOptions): Promise<Connection> {
    this.options = options;
    this.#onStatus = options.onStatus;
    this.connections += 1;
    return {
      capabilities: this.capabilities,
      clock: this.clock,
      declarations: {
        declare: async () => this.onDeclare(),
        list: (async (useCase?: string) => this.onList(useCase)) as Declarations["list"],
        withdraw: async (_useCase, patterns) => void this.withdrawn.push(...patterns),
      },
      trials: this.trials,
      publish: (events) => {
        this.calls.push(events);
        return this.onPublish(events);
      },
      subscribe: async (useCase, _options, onDelivery) => {
        this.#subscribers.set(useCase, onDelivery);
        return { readAhead: () => {}, stop: () => this.unsubscribing };
      },
      deadLetters: () => {
        throw new Error("A FakeTransport keeps no dead letters.");
      },
      inspect: () => this.onInspect(),
      close: async () => {
        await this.closing;
        this.connections -= 1;
      },
    };
  }

  /** Sets how much it takes at once. */
  takes(publishing: Partial<Capabilities["publishing"]>): void {
    this.capabilities = { ...this.capabilities, publishing: { ...this.capabilities.publishing, ...publishing } };
  }

  /** Publish calls from now on end when the test says how. */
  holdPublishes(): HeldPublish[] {
    const calls: HeldPublish[] = [];
    this.onPublish = (events) => new Promise((end) => calls.push({ events, end }));
    return calls;
  }

  /** Tells the app that the connection is gone, or back. */
  setConnected(connected: boolean): void {
    this.#onStatus({ connected });
  }

  /** Hands an event to a use case and resolves to what becomes of it. */
  deliver(
    useCase: string,
    event: Partial<ReceivedEvent>,
    { attempt = 1, redeliveries = 0, lost = false } = {},
  ): Promise<Settlement> {
    return new Promise((resolve) => {
      const delivery: Delivery = {
        event: { headers: {}, body: Buffer.from("{}"), ...event },
        attempt,
        redeliveries,
        lost,
        settle: async (settlement) => {
          const settled = await this.onSettle(settlement);
          resolve(settlement);
          return settled;
        },
      };
      this.#subscribers.get(useCase)?.(delivery);
    });
  }
}

export interface HeldPublish {
  readonly events: readonly EncodedEvent[];
  readonly end: (unconfirmed: readonly Unconfirmed[]) => void;
}

export const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Starts an app that is stopped when the test ends. */
export async function started(
  transport: Transport,
  useCases: readonly UseCase[] = [],
  options: Omit<PapaAppOptions, "transport"> = {},
): Promise<PapaApp> {
  const app = new PapaApp({ transport, logger: silent, ...options }).use(useCases);
  await app.start();
  onTestFinished(() => app.stop());
  return app;
}

/** What a call throws. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown.");
}

/** Turns of the event loop, for what takes place in some of them. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A schema that answers some turns later. */
export function slowly(result: StandardSchemaV1.Result<unknown>): StandardSchemaV1 {
  const validate = async () => {
    await turns(3);
    return result;
  };
  return { "~standard": { version: 1, vendor: "test", validate } };
}
