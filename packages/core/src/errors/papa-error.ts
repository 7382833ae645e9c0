import { isBranded, recognisedByBrand } from "./brand.ts";
import type { PapaErrorCode, PapaErrorDetails } from "./codes.ts";

/** `Symbol.for`, so that errors of another copy of core in the same process are recognised. */
const BRAND = Symbol.for("papa-events.error");

/** What an error carries besides its code, message and details. */
export interface PapaErrorOptions {
  /** What the broker's client or the user's code threw. */
  readonly cause?: unknown;
  /** Whether the same call may succeed later without a change; `false` unless stated. */
  readonly retryable?: boolean | undefined;
}

/**
 * The one error class of the library. Tell errors apart by {@link PapaError.code}, with {@link isPapaError},
 * which also recognises an error made by another copy of the package.
 */
export class PapaError<C extends PapaErrorCode = PapaErrorCode> extends Error {
  /** Stable; the message is not. */
  readonly code: C;
  /** What the error is about, typed by its code. Never holds a password. */
  readonly details: PapaErrorDetails[C];
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;

  constructor(code: C, message: string, details: PapaErrorDetails[C], options: PapaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "PapaError";
    this.code = code;
    this.details = details;
    this.retryable = options.retryable ?? false;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Said, because for a generic class the compiler would narrow to one with `any` in it. */
  declare static readonly [Symbol.hasInstance]: <T extends abstract new (...args: never) => unknown>(
    this: T,
    value: unknown,
  ) => value is InstanceType<T>;

  static {
    recognisedByBrand(PapaError, BRAND);
  }
}

/** Every {@link PapaError} as a union by code, so that a `switch` on `code` narrows `details`. */
export type AnyPapaError = { [C in PapaErrorCode]: PapaError<C> }[PapaErrorCode];

/** Whether `error` is a {@link PapaError}, of this or another copy of the package; with `code`, one of that code. */
export function isPapaError(error: unknown): error is AnyPapaError;
export function isPapaError<C extends PapaErrorCode>(error: unknown, code: C): error is PapaError<C>;
export function isPapaError(error: unknown, code?: PapaErrorCode): boolean {
  if (!isBranded(error, BRAND)) return false;
  try {
    return code === undefined || (error as PapaError).code === code;
  } catch {
    return false;
  }
}
