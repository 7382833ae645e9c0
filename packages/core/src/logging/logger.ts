/** One line of a log: what it is about as an object, then the message. */
export type LogMethod = (about: object, message?: string) => void;

/**
 * Where the library logs what happens. `console`, pino and winston loggers satisfy it as they are. Each method is called as
 * `(about, message)`, an error always under `err`. A logger with a `child` method (pino, winston) gets the use case, event
 * name and id bound to `ctx.logger`.
 */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

/** A method of {@link ContextLogger}. */
export interface ContextLogMethod {
  (about: object, message?: string): void;
  (message: string): void;
}

/** The logger of a handler's context: it takes a message with or without an object. */
export interface ContextLogger extends Logger {
  readonly debug: ContextLogMethod;
  readonly info: ContextLogMethod;
  readonly warn: ContextLogMethod;
  readonly error: ContextLogMethod;
}

/** The methods that a logger must have. */
export const LOG_METHODS = ["debug", "info", "warn", "error"] as const;

interface ParentLogger extends Logger {
  child(bindings: object): Logger;
}

/** Makes a logger that puts `bindings` on each of its lines. What the user's logger throws is ignored. */
export function eventLogger(logger: Logger, bindings: object): ContextLogger {
  const child = childOf(logger, bindings);
  if (child !== undefined) return methods((level, about, message) => child[level](about, message));
  return methods((level, about, message) => logger[level]({ ...bindings, ...about }, message));
}

/** The child that a logger makes of itself, `undefined` where it makes none or fails to. */
function childOf(logger: Logger, bindings: object): Logger | undefined {
  try {
    return hasChild(logger) ? logger.child(bindings) : undefined;
  } catch {
    return undefined;
  }
}

/** Makes a logger of the user's that never throws: a full disk under a log must not end what is logged about. */
export function guarded(logger: Logger): Logger {
  const guard = methods((level, about, message) => logger[level](about, message));
  return hasChild(logger) ? Object.assign(guard, { child: (bindings: object) => logger.child(bindings) }) : guard;
}

type Write = (level: (typeof LOG_METHODS)[number], about: object, message: string | undefined) => void;

function methods(write: Write): ContextLogger {
  const method =
    (level: (typeof LOG_METHODS)[number]): ContextLogMethod =>
    (about: object | string, message?: string) => {
      try {
        if (typeof about === "string") write(level, {}, about);
        else write(level, about, message);
      } catch {
        // There is nowhere left to log it.
      }
    };
  return { debug: method("debug"), info: method("info"), warn: method("warn"), error: method("error") };
}

function hasChild(logger: Logger): logger is ParentLogger {
  return "child" in logger && typeof logger.child === "function";
}

/** Writes warnings and errors to the console; the default of an app. */
export const consoleLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (about, message) => console.warn(message, about),
  error: (about, message) => console.error(message, about),
};
