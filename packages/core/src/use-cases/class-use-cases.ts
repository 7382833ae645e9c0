import { invalidOption } from "../options/check-options.ts";
import type { UseCase } from "./use-case.ts";

/**
 * How classes come into an app without core knowing of any container: `@papa-events/core/decorators` says here how
 * the use cases of a class are read, and its handlers ask here for the app's container.
 */
export type ClassReader = (type: Class) => readonly UseCase[];

/** Any class, also an abstract one: what is made in its place is its container's to say. */
export type Class<T = unknown> = abstract new (...args: never) => T;

let classReader: ClassReader | undefined;

/** Called once by `@papa-events/core/decorators`. */
export function setClassReader(reader: ClassReader): void {
  classReader = reader;
}

/** The use cases that a class declares by `@onEvent`. @throws PapaError `invalid-option` */
export function useCasesOfClass(target: unknown): readonly UseCase[] {
  if (typeof target !== "function")
    throw invalidOption(
      "register",
      `a class is needed, not ${target === null ? "null" : `a value of type ${typeof target}`}`,
    );
  const useCases = classReader?.(target as Class) ?? [];
  if (useCases.length > 0) return useCases;
  const problem = `the class "${target.name}" has no method with @onEvent from "@papa-events/core/decorators"`;
  throw invalidOption("register", problem);
}
