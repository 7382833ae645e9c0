import type { Logger } from "@papa-events/core";

/** A line that an app or a transport logged. */
export interface Line {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly about: object;
}

/** Keeps what is logged, for a test that fails and for tests of what is logged. */
export class QuietLog implements Logger {
  readonly lines: Line[] = [];
  readonly debug = this.#method("debug");
  readonly info = this.#method("info");
  readonly warn = this.#method("warn");
  readonly error = this.#method("error");

  /** The last lines at warn and error. */
  trouble(limit = 10): string[] {
    return this.lines
      .filter(({ level }) => level === "warn" || level === "error")
      .slice(-limit)
      .map(({ level, message, about }) => `${level}: ${message} ${causeOf(about)}`.trim());
  }

  #method(level: Line["level"]) {
    return (about: object, message = "") => {
      this.lines.push({ level, message, about });
    };
  }
}

/** The most characters of an error's message that are of use to a reader. */
const MAX_MESSAGE_LENGTH = 300;

function causeOf(about: object): string {
  try {
    const message = "err" in about && about.err instanceof Error ? about.err.message : "";
    return message === "" ? "" : `(${message.slice(0, MAX_MESSAGE_LENGTH)})`;
  } catch {
    return "(an error that cannot be read)";
  }
}
