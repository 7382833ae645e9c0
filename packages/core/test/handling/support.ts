import { DeliveryContext } from "../../src/handling/delivery-context.ts";
import type { Logger } from "../../src/index.ts";
import { type Clock, type Delivery, type ReceivedEvent, type Settlement, systemClock } from "../../src/transport.ts";
import { silent } from "../support.ts";

/** A delivery that notes how it is settled. */
export class TestDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly redeliveries: number;
  readonly settlements: Settlement[] = [];
  lost = false;

  constructor(event: Partial<ReceivedEvent> = {}, { attempt = 1, redeliveries = 0 } = {}) {
    this.event = { headers: {}, body: Buffer.from("{}"), name: "a", id: "1", ...event };
    this.attempt = attempt;
    this.redeliveries = redeliveries;
  }

  async settle(settlement: Settlement): Promise<"stored" | "lost"> {
    this.settlements.push(settlement);
    return this.lost ? "lost" : "stored";
  }

  get kinds(): readonly string[] {
    return this.settlements.map(({ kind }) => kind);
  }
}

/** The context of a delivery to the use case "log". */
export function contextOf(
  delivery: Delivery,
  { clock = systemClock, logger = silent }: { readonly clock?: Clock; readonly logger?: Logger } = {},
): DeliveryContext {
  return new DeliveryContext(delivery, { app: {}, useCase: "log", logger, clock });
}

/** A logger that notes level and message of each line, and what it is about. */
export function notingLogger() {
  const lines: [level: string, message: string | undefined, about: object][] = [];
  const at = (level: string) => (about: object, message?: string) => void lines.push([level, message, about]);
  const logger: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { lines, logger };
}
