/** The names of a namespace's topics and groups. A double "-" is in none of the event topics' and no prefix. */
export class Names {
  readonly prefix: string;
  readonly registry: string;
  readonly delays: string;
  readonly releaser: string;

  constructor(prefix: string) {
    this.prefix = prefix;
    this.registry = `${prefix}--registry`;
    this.delays = `${prefix}--delays`;
    this.releaser = `${prefix}--releaser`;
  }

  /** The topic of events whose names begin with a word. */
  events(word: string): string {
    return `${this.prefix}.${word}`;
  }

  /** What events of a topic are called that have no name of their own; `undefined` if it is no topic of events. */
  eventName(topic: string): string | undefined {
    const start = `${this.prefix}.`;
    return topic.startsWith(start) && topic.length > start.length ? topic.slice(start.length) : undefined;
  }

  /** Where retries, redrives and hand-ons of a use case come back. */
  ready(useCase: string): string {
    return `${this.prefix}--ready-${escaped(useCase)}`;
  }

  dead(useCase: string): string {
    return `${this.prefix}--dead-${escaped(useCase)}`;
  }

  group(useCase: string): string {
    return `${this.prefix}--use-case-${useCase}`;
  }
}

/** The first word of an event name or a pattern. */
export function firstWord(name: string): string {
  const end = name.indexOf(".");
  return end === -1 ? name : name.slice(0, end);
}

/** Whether a pattern's topics have to be discovered: it may match names with any first word. */
export function needsDiscovery(pattern: string): boolean {
  const word = firstWord(pattern);
  return word === "*" || word === "#";
}

/** Kafka refuses a topic whose name differs from another's only in "." and "_". */
function escaped(useCase: string): string {
  return useCase.replace(/[-._]/g, (character) => ({ "-": "--", ".": "-d", _: "-u" })[character] ?? character);
}
