import { type Class, setClassReader } from "../use-cases/class-use-cases.ts";
import type { UseCaseDefinition } from "../use-cases/definition.ts";
import { UseCase } from "../use-cases/use-case.ts";
import { methodHandler } from "./handled-by.ts";

/**
 * By method function, which is all that a standard decorator gets; the class is known only when it is registered.
 */
const declarations = new WeakMap<object, readonly UseCaseDefinition[]>();

/** Remembers that a method handles a use case; it may handle several. */
export function declare(method: object, definition: UseCaseDefinition): void {
  // Decorators are applied from the lowest to the highest.
  declarations.set(method, [definition, ...(declarations.get(method) ?? [])]);
}

/** The use cases that a class and those it extends declare. What a subclass declares on a method is what counts. */
function useCasesDeclaredBy(type: Class): readonly UseCase[] {
  const found = new Map<PropertyKey, readonly UseCaseDefinition[]>();
  for (const prototype of prototypesOf(type)) {
    for (const method of Reflect.ownKeys(prototype)) {
      const declared = declarationsOf(Object.getOwnPropertyDescriptor(prototype, method)?.value);
      if (declared !== undefined && !found.has(method)) found.set(method, declared);
    }
  }
  return [...found].flatMap(([method, definitions]) =>
    definitions.map((definition) => new UseCase({ ...definition, handler: methodHandler(type, method) })),
  );
}

/** The class's own first; none of an arrow function that was taken for a class. */
function* prototypesOf(type: Class): Iterable<object> {
  let prototype: object | null = type.prototype ?? null;
  for (; prototype !== null; prototype = Object.getPrototypeOf(prototype)) yield prototype;
}

function declarationsOf(value: unknown): readonly UseCaseDefinition[] | undefined {
  return typeof value === "function" ? declarations.get(value) : undefined;
}

setClassReader(useCasesDeclaredBy);
