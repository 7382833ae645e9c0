import { parseArgs } from "node:util";
import { hasNamespace } from "./broker-url.ts";

/** What the demo is asked to do. */
export interface DemoOptions {
  readonly broker: string;
  /** Events per second; `Infinity` for as fast as the broker takes them. */
  readonly speed: number;
  readonly repeat: number;
  /** Whether it removes what an earlier run left, and replays nothing. */
  readonly clean: boolean;
  readonly help: boolean;
}

/** A wrong option, reported in one line. */
export class WrongOption extends Error {}

export const HELP = `Replays 329 real GitHub webhook deliveries through an app with seven use cases,
and checks what each of them got against what the files say.

  npm run demo -- [options]

  --broker <url>   the transport's URL: memory:, amqp://, redis://, kafka://
                   (memory:). On a shared broker the run gets a namespace of its
                   own, unless the URL has a ?prefix=
  --speed <n>      events published per second, or "max" (150)
  --repeat <n>     how often each delivery is replayed (1)
  --clean          removes what an earlier run left, and replays nothing; --broker
                   is then the URL that the run printed, with its ?prefix=
  --help           this text
`;

/** @throws WrongOption */
export function readOptions(args: readonly string[]): DemoOptions {
  const { broker, speed, repeat, clean, help } = parse(args);
  if (clean && !hasNamespace(broker))
    throw new WrongOption("--clean needs --broker with the ?prefix= of the run whose traces are to go.");
  return { broker, speed: readSpeed(speed), repeat: readRepeat(repeat), clean, help };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        broker: { type: "string", default: "memory:" },
        speed: { type: "string", default: "150" },
        repeat: { type: "string", default: "1" },
        clean: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    // Some of its messages go on with advice on further lines.
    const [problem] = String((error as Error).message).split(/\n|\. /);
    throw new WrongOption(`${problem?.replace(/\.$/, "")}; --help lists the options.`);
  }
}

function readSpeed(text: string): number {
  const speed = text === "max" ? Number.POSITIVE_INFINITY : Number(text);
  if (speed > 0) return speed;
  throw new WrongOption(`--speed ${text}: events per second are needed, such as 150, or "max".`);
}

function readRepeat(text: string): number {
  const repeat = Number(text);
  if (Number.isSafeInteger(repeat) && repeat >= 1) return repeat;
  throw new WrongOption(`--repeat ${text}: a whole number of 1 or more is needed.`);
}
