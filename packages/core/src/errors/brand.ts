/**
 * Classes told apart by a `Symbol.for` brand instead of their identity, so that two copies of the package in one
 * process understand each other.
 */

/** Makes `instanceof` of a class go by `brand`. A class that extends it is told by its prototypes, as any other. */
export function recognisedByBrand(branded: object, brand: symbol): void {
  Object.defineProperty(branded, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      return this === branded ? isBranded(value, brand) : Function.prototype[Symbol.hasInstance].call(this, value);
    },
  });
}

/** Whether `value` is an object that carries `brand`. Looking never throws, however odd a thing a handler has thrown. */
export function isBranded(value: unknown, brand: symbol): boolean {
  try {
    return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[brand] === true;
  } catch {
    return false;
  }
}
