/** One line of a log: what it is about as an object, then the message. */
export type LogMethod = (about: object, message?: string) => void;

/**
 * Where the library tells what happened. `console` and a pino logger satisfy it as they are. A logger with a
 * `child` method (pino) gets the use case, event name and id bound to `ctx.logger`.
 */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

interface ParentLogger extends Logger {
  child(bindings: object): Logger;
}

/** A logger that puts `bindings` on each of its lines. */
export function childLogger(logger: Logger, bindings: object): Logger {
  if (hasChild(logger)) return logger.child(bindings);
  return {
    debug: (about, message) => logger.debug({ ...bindings, ...about }, message),
    info: (about, message) => logger.info({ ...bindings, ...about }, message),
    warn: (about, message) => logger.warn({ ...bindings, ...about }, message),
    error: (about, message) => logger.error({ ...bindings, ...about }, message),
  };
}

function hasChild(logger: Logger): logger is ParentLogger {
  return "child" in logger && typeof logger.child === "function";
}

/** Warnings and errors to the console; the default of an app. */
export const consoleLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (about, message) => console.warn(message, about),
  error: (about, message) => console.error(message, about),
};
